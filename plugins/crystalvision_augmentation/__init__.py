"""Augmentations that obey the physics. A new one is one file and one line below."""

from collections.abc import Mapping

from crystalvision import hookimpl


@hookimpl
def crystalvision_augmentations() -> Mapping[str, str]:
    """The augmentations that come with the toolkit."""
    return {
        "beam-stop": "crystalvision_augmentation.beam_stop:BeamStop",
        "dihedral": "crystalvision_augmentation.dihedral:Dihedral",
        "magnification": "crystalvision_augmentation.magnification:Magnification",
        "measured-baseline": "crystalvision_augmentation.measured_baseline:MeasuredBaseline",
        "range": "crystalvision_augmentation.range:Range",
        "rotation": "crystalvision_augmentation.rotation:Rotation",
        "shift": "crystalvision_augmentation.shift:Shift",
        "thinning": "crystalvision_augmentation.thinning:Thinning",
    }
