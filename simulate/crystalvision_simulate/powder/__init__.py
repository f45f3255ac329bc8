"""Powder diffraction of X-rays: what a crystal scatters into each |g|, and how it is recorded."""

from crystalvision_simulate.powder._peaks import Widths, lorentz_polarisation, peaks
from crystalvision_simulate.powder._reflections import Reflections, march_dollase, reflections
from crystalvision_simulate.powder._rings import debye_intensity, ring_axis, rings_of_reflections
from crystalvision_simulate.powder._supercell import rings_of_supercell

__all__ = [
    "Reflections",
    "Widths",
    "debye_intensity",
    "lorentz_polarisation",
    "march_dollase",
    "peaks",
    "reflections",
    "ring_axis",
    "rings_of_reflections",
    "rings_of_supercell",
]
