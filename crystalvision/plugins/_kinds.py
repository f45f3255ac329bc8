"""The kinds of thing a plugin can offer: one row for each hook of `crystalvision.hookspecs`."""

from dataclasses import dataclass
from typing import Literal

FactoryKind = Literal[
    "structure",
    "defect",
    "renderer",
    "instrument",
    "source",
    "reader",
    "input",
    "augmentation",
    "backbone",
    "head",
    "fusion",
    "task",
    "feature",
    "estimator",
]
FileKind = Literal["recipe", "experiment", "suite"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Attributes:
        name: What the user calls it, as in `crystalvision plugins show backbone dnsnet`.
        hook: The hook that gives it.
        context: Parameters of its factories that the toolkit supplies, so no options of the user's.
        on_request: Such parameters that a factory may do without.
        requires: Attributes that what a factory makes must have.
    """

    name: str
    hook: str
    context: tuple[str, ...] = ()
    on_request: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def supplied(self) -> tuple[str, ...]:
        """All parameters that the toolkit supplies."""
        return (*self.context, *self.on_request)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("structure", "crystalvision_structures", requires=("positions", "numbers", "cell")),
        Kind("defect", "crystalvision_defects", requires=("apply", "stage", "measures")),
        Kind("renderer", "crystalvision_renderers", requires=("render", "quantity")),
        Kind(
            "instrument",
            "crystalvision_instruments",
            requires=("axes", "measure", "project", "records", "dtype"),
        ),
        Kind(
            "source", "crystalvision_sources", context=("spec", "catalogue"), requires=("samples",)
        ),
        Kind(
            "reader",
            "crystalvision_readers",
            requires=("format", "suffixes", "signatures", "recognises", "open"),
        ),
        Kind(
            "input", "crystalvision_inputs", on_request=("axes",), requires=("axes", "keeps_counts")
        ),
        Kind("augmentation", "crystalvision_augmentations", requires=("check", "apply")),
        Kind(
            "backbone",
            "crystalvision_backbones",
            context=("in_channels",),
            on_request=("dimensions",),
            requires=("forward", "num_features", "stride"),
        ),
        Kind(
            "head",
            "crystalvision_heads",
            context=("num_features",),
            on_request=("num_classes", "targets", "grid", "map_grid"),
            requires=("forward", "loss", "predict", "targets", "reads", "observe"),
        ),
        Kind(
            "fusion",
            "crystalvision_fusions",
            context=("branch_features",),
            on_request=("branch_outputs", "num_classes"),
            requires=("forward", "num_features"),
        ),
        Kind(
            "task",
            "crystalvision_tasks",
            requires=("check", "score", "metrics", "resampled", "columns", "figures"),
        ),
        Kind(
            "feature",
            "crystalvision_features",
            on_request=("image_shape", "centre", "seed"),
            requires=("__call__", "learns", "fit", "state", "load_state"),
        ),
        Kind(
            "estimator",
            "crystalvision_estimators",
            on_request=("seed",),
            requires=("fit", "predict"),
        ),
        Kind("recipe", "crystalvision_recipes"),
        Kind("experiment", "crystalvision_experiments"),
        Kind("suite", "crystalvision_suites"),
        Kind("function", "crystalvision_functions"),
        Kind("command", "crystalvision_commands"),
    )
}
