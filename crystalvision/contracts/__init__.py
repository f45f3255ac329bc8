"""What passes between the stages, and what each kind of plugin must give.

structure → defects → specimen → renderer → detector → store → dataset → model → metrics → report:
a stage knows the one before it only by the types here.
"""

from crystalvision.contracts._crystal import Crystal
from crystalvision.contracts._models import (
    Backbone,
    Fusion,
    Head,
    Prediction,
    Targets,
)
from crystalvision.contracts._simulation import (
    Beam,
    Defect,
    DefectiveCrystal,
    Pattern,
    Renderer,
    Specimen,
)

__all__ = [
    "Backbone",
    "Beam",
    "Crystal",
    "Defect",
    "DefectiveCrystal",
    "Fusion",
    "Head",
    "Pattern",
    "Prediction",
    "Renderer",
    "Specimen",
    "Targets",
]
