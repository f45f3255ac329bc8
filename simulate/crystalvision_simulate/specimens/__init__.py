"""Specimens: how a crystal is cut and put in the beam."""

from crystalvision_simulate.specimens._axis import along_beam, reduced_axis, zone_reflections
from crystalvision_simulate.specimens._cut import CrystalCutter, aperture_of
from crystalvision_simulate.specimens._slab import SlabCutter, specimen_of
from crystalvision_simulate.specimens._translations import Sites, generating_translations

__all__ = [
    "CrystalCutter",
    "Sites",
    "SlabCutter",
    "along_beam",
    "aperture_of",
    "generating_translations",
    "reduced_axis",
    "specimen_of",
    "zone_reflections",
]
