"""How atoms scatter the beam."""

from crystalvision.electrons import electron_wavelength_angstrom
from crystalvision_simulate.scattering._electrons import (
    electron_scattering_factor,
    relativistic_mass_ratio,
)
from crystalvision_simulate.scattering._x_rays import (
    CLASSICAL_ELECTRON_RADIUS_ANGSTROM,
    x_ray_scattering_factor,
    x_ray_wavelength_angstrom,
)

__all__ = [
    "CLASSICAL_ELECTRON_RADIUS_ANGSTROM",
    "electron_scattering_factor",
    "electron_wavelength_angstrom",
    "relativistic_mass_ratio",
    "x_ray_scattering_factor",
    "x_ray_wavelength_angstrom",
]
