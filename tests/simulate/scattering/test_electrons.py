"""Wavelength, mass and scattering factors of electrons."""

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)


@pytest.mark.parametrize(
    ("energy_kev", "expected"), [(80, 0.041757), (100, 0.037014), (200, 0.025079), (300, 0.019687)]
)
def test_wavelength(energy_kev, expected):
    """Against the values that every microscopy text prints."""
    assert electron_wavelength_angstrom(energy_kev) == pytest.approx(expected, rel=1e-4)


def test_mass_ratio_at_200_kev():
    assert relativistic_mass_ratio(200) == pytest.approx(1.39139, rel=1e-5)


@pytest.mark.parametrize(
    ("number", "expected"), [(14, (5.836, 1.968, 0.743)), (7, (2.249, 1.221, 0.484))]
)
def test_scattering_factors(number, expected):
    """Against the printed values of Lobato and Van Dyck at g = 0, 0.5, 1 1/Å."""
    found = electron_scattering_factor(number, np.array([0.0, 0.5, 1.0]))
    assert found == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("number", [1, 7, 14, 26, 79, 103])
def test_high_angles_follow_the_coulomb_field_of_the_nucleus(number):
    """Mott–Bethe with the electrons left out: f → 0.0239337 Z / (g / 2)²."""
    g = 40.0
    coulomb = 0.023933754 * number / (g / 2) ** 2
    assert electron_scattering_factor(number, np.array(g)) == pytest.approx(coulomb, rel=0.02)


def test_unknown_element_and_energy_are_quoted():
    with pytest.raises(InputError, match="atomic number 104; expected 1 to 103"):
        electron_scattering_factor(104, np.array(0.0))
    with pytest.raises(InputError, match="energy_kev is -1; expected a positive number"):
        electron_wavelength_angstrom(-1)
