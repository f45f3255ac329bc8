"""Recipes: a dataset described as data."""

from crystalvision_simulate.recipes._distribution import Quantity
from crystalvision_simulate.recipes._recipe import (
    BeamSettings,
    CameraSettings,
    ClassSettings,
    DetectorSettings,
    Recipe,
    SpecimenSettings,
    load_recipe,
)

__all__ = [
    "BeamSettings",
    "CameraSettings",
    "ClassSettings",
    "DetectorSettings",
    "Quantity",
    "Recipe",
    "SpecimenSettings",
    "load_recipe",
]
