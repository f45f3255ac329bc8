"""Recipes: a dataset described as data."""

from crystalvision_simulate.recipes._detector import DetectorSettings
from crystalvision_simulate.recipes._distribution import Quantity
from crystalvision_simulate.recipes._recipe import ClassSettings, Recipe, load_recipe
from crystalvision_simulate.recipes._settings import (
    BeamSettings,
    CameraSettings,
    SpecimenSettings,
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
