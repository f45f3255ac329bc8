"""What passes between the stages, and what each kind of plugin must give.

structure → defects → specimen → renderer → detector → store → dataset → model → metrics → report:
a stage knows the one before it only by the types here.
"""

from crystalvision.contracts._classical import Estimator, Features
from crystalvision.contracts._crystal import Crystal, Parent
from crystalvision.contracts._crystal_facts import CrystalFacts, SpaceGroup, space_group
from crystalvision.contracts._models import (
    Augmentation,
    Backbone,
    Fusion,
    Head,
    Prediction,
    Targets,
    stride_pair,
)
from crystalvision.contracts._simulation import (
    Aperture,
    Beam,
    Defect,
    DefectiveCrystal,
    Pattern,
    Renderer,
    Specimen,
)

__all__ = [
    "Aperture",
    "Augmentation",
    "Backbone",
    "Beam",
    "Crystal",
    "CrystalFacts",
    "Defect",
    "DefectiveCrystal",
    "Estimator",
    "Features",
    "Fusion",
    "Head",
    "Parent",
    "Pattern",
    "Prediction",
    "Renderer",
    "SpaceGroup",
    "Specimen",
    "Targets",
    "space_group",
    "stride_pair",
]
