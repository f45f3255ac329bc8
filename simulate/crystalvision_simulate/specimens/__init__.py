"""Specimens: how a crystal is cut and put in the beam."""

from crystalvision_simulate.specimens._slab import SlabCutter, specimen_of

__all__ = ["SlabCutter", "specimen_of"]
