"""The wavelength of electrons."""

import numpy as np
from scipy import constants

from crystalvision.errors import InputError

REST_ENERGY_KEV = constants.m_e * constants.c**2 / constants.e / 1e3
"""Of an electron, m c² [keV]."""


def electron_wavelength_angstrom(energy_kev: float) -> float:
    """De Broglie wavelength [Å] of an electron of this kinetic energy [keV], relativistic.

    Raises:
        InputError: The energy is not positive.
    """
    if not energy_kev > 0:
        raise InputError(f"energy_kev is {energy_kev}; expected a positive number, such as 200")
    momentum_times_c_kev = np.sqrt(energy_kev * (energy_kev + 2 * REST_ENERGY_KEV))
    planck_times_c_kev_m = constants.h * constants.c / constants.e / 1e3
    return float(planck_times_c_kev_m / momentum_times_c_kev / constants.angstrom)
