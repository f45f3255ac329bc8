"""Recipes: a dataset described as data."""

from crystalvision_simulate.recipes._distribution import (
    Quantity,
    above,
    at_least,
    at_most,
    between,
)
from crystalvision_simulate.recipes._recipe import SOURCE, ClassSettings, Recipe, load_recipe
from crystalvision_simulate.recipes._settings import BeamSettings, SpecimenSettings
from crystalvision_simulate.recipes._units import column_of_option

__all__ = [
    "SOURCE",
    "BeamSettings",
    "ClassSettings",
    "Quantity",
    "Recipe",
    "SpecimenSettings",
    "above",
    "at_least",
    "at_most",
    "between",
    "column_of_option",
    "load_recipe",
]
