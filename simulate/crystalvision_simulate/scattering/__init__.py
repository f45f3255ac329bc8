"""How atoms scatter the beam."""

from crystalvision_simulate.scattering._electrons import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)

__all__ = [
    "electron_scattering_factor",
    "electron_wavelength_angstrom",
    "relativistic_mass_ratio",
]
