"""Specimens: how a crystal is cut and put in the beam."""

from crystalvision_simulate.specimens._cut import CrystalCutter, aperture_of
from crystalvision_simulate.specimens._slab import SlabCutter, specimen_of

__all__ = ["CrystalCutter", "SlabCutter", "aperture_of", "specimen_of"]
