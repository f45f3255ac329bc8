"""Tasks: how each kind of target is judged and shown. A new one is one file and one line below."""

from collections.abc import Mapping

from crystalvision import hookimpl


@hookimpl
def crystalvision_tasks() -> Mapping[str, str]:
    """The tasks that come with the toolkit."""
    return {
        "classification": "crystalvision_tasks.classification:Classification",
        "fractions": "crystalvision_tasks.fractions:Fractions",
        "orientation": "crystalvision_tasks.orientation:Orientation",
        "regression": "crystalvision_tasks.regression:Regression",
        "segmentation": "crystalvision_tasks.segmentation:Segmentation",
    }
