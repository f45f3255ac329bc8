"""Recipes: a dataset described as data."""

from crystalvision_simulate.recipes._distribution import Quantity
from crystalvision_simulate.recipes._recipe import ClassSettings, Recipe, load_recipe
from crystalvision_simulate.recipes._settings import BeamSettings, SpecimenSettings
from crystalvision_simulate.recipes._units import column_of_option

__all__ = [
    "BeamSettings",
    "ClassSettings",
    "Quantity",
    "Recipe",
    "SpecimenSettings",
    "column_of_option",
    "load_recipe",
]
