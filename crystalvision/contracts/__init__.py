"""What passes between the stages, and what each kind of plugin must give.

structure → defects → specimen → renderer → instrument → store → dataset → model → metrics → report:
a stage knows the one before it only by the types here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from crystalvision.contracts._axes import Axis, grid_of
from crystalvision.contracts._classical import Classifier, Estimator, Features, is_classifier
from crystalvision.contracts._crystal import Crystal, Parent
from crystalvision.contracts._crystal_facts import CrystalFacts, SpaceGroup, space_group
from crystalvision.contracts._dimensions import check_dimensions
from crystalvision.contracts._origin import mark_origin, origin_of
from crystalvision.contracts._readers import (
    Facts,
    Frame,
    MeasuredAxis,
    MeasuredFile,
    Reader,
    Scale,
    UnevenAxis,
    measured_axis,
)
from crystalvision.contracts._recorded import Range, Recorded
from crystalvision.contracts._recording import Recording
from crystalvision.contracts._symmetry import proper_rotations
from crystalvision.contracts._target import Target

if TYPE_CHECKING:  # torch takes seconds to import: what knows datasets alone does without
    from crystalvision.contracts._inputs import ANY_DIMENSION, Input
    from crystalvision.contracts._instruments import Instrument
    from crystalvision.contracts._models import (
        Augmentation,
        Backbone,
        EmbeddingHead,
        Fusion,
        Head,
        dimensions_of,
        strides,
    )
    from crystalvision.contracts._returned import (
        check_estimates,
        check_many,
        check_size,
        check_stride,
        check_tensor,
        described,
    )
    from crystalvision.contracts._simulation import (
        Aperture,
        Beam,
        Cost,
        Defect,
        DefectiveCrystal,
        Measure,
        Pattern,
        Quantity,
        Renderer,
        Specimen,
        SpecimenSize,
    )
    from crystalvision.contracts._targets import Estimate, Targets
    from crystalvision.contracts._tasks import (
        Ends,
        EvaluatedEstimates,
        EvaluatedSystem,
        Proportion,
        Task,
        TaskFigure,
    )

_WITH_TORCH = (
    "_inputs",
    "_instruments",
    "_models",
    "_returned",
    "_simulation",
    "_targets",
    "_tasks",
)

__all__ = [
    "ANY_DIMENSION",
    "Aperture",
    "Augmentation",
    "Axis",
    "Backbone",
    "Beam",
    "Classifier",
    "Cost",
    "Crystal",
    "CrystalFacts",
    "Defect",
    "DefectiveCrystal",
    "EmbeddingHead",
    "Ends",
    "Estimate",
    "Estimator",
    "EvaluatedEstimates",
    "EvaluatedSystem",
    "Facts",
    "Features",
    "Frame",
    "Fusion",
    "Head",
    "Input",
    "Instrument",
    "Measure",
    "MeasuredAxis",
    "MeasuredFile",
    "Parent",
    "Pattern",
    "Proportion",
    "Quantity",
    "Range",
    "Reader",
    "Recorded",
    "Recording",
    "Renderer",
    "Scale",
    "SpaceGroup",
    "Specimen",
    "SpecimenSize",
    "Target",
    "Targets",
    "Task",
    "TaskFigure",
    "UnevenAxis",
    "check_dimensions",
    "check_estimates",
    "check_many",
    "check_size",
    "check_stride",
    "check_tensor",
    "described",
    "dimensions_of",
    "grid_of",
    "is_classifier",
    "mark_origin",
    "measured_axis",
    "origin_of",
    "proper_rotations",
    "space_group",
    "strides",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        for each in _WITH_TORCH:
            module = import_module(f"{__name__}.{each}")
            if hasattr(module, name):
                return globals().setdefault(name, getattr(module, name))
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
