"""Wavelength and scattering factors of X-rays."""

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision_simulate.scattering import (
    CLASSICAL_ELECTRON_RADIUS_ANGSTROM,
    x_ray_scattering_factor,
    x_ray_wavelength_angstrom,
)


def test_wavelength_of_copper_and_molybdenum_lines():
    """Cu Kα₁ 8.04778 keV and Mo Kα₁ 17.47934 keV: 1.540593 and 0.709317 Å."""
    assert x_ray_wavelength_angstrom(8.04778) == pytest.approx(1.540593, rel=2e-5)
    assert x_ray_wavelength_angstrom(17.47934) == pytest.approx(0.709317, rel=2e-5)


def test_classical_electron_radius():
    assert pytest.approx(2.8179403e-5, rel=1e-7) == CLASSICAL_ELECTRON_RADIUS_ANGSTROM


@pytest.mark.parametrize(("number", "expected"), [(14, 6.240), (7, 1.937)])
def test_scattering_factors_at_one_inverse_angstrom(number, expected):
    """The values of Waasmaier and Kirfel's fit for Si and N, rounded."""
    assert x_ray_scattering_factor(number, np.array(1.0)) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("number", range(1, 99))
def test_forward_scattering_is_that_of_all_electrons(number):
    """f₀(0) = Z, to what the fit reaches: 0.04 electrons at most, for Os."""
    assert x_ray_scattering_factor(number, np.array(0.0)) == pytest.approx(number, abs=0.04)


@pytest.mark.parametrize("number", [1, 6, 7, 13, 14, 26, 47, 79, 92])
def test_factors_agree_with_another_fit_to_other_wave_functions(number):
    """pymatgen's, from electron scattering factors by Mott and Bethe, for g ≤ 1.25 1/Å."""
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS
    from pymatgen.core import Element

    g = np.linspace(0, 1.25, 26)
    squared = (g / 2) ** 2
    fit = np.array(ATOMIC_SCATTERING_PARAMS[Element.from_Z(number).symbol])
    terms = fit[:, :1] * np.exp(-fit[:, 1:] * squared)
    other = number - 41.78214 * squared * terms.sum(axis=0)
    assert abs(x_ray_scattering_factor(number, g) - other).max() < 0.012 * number


def test_factors_do_not_grow_over_the_range_of_the_fit():
    g = np.linspace(0, 11, 200)
    for number in range(1, 99):
        assert np.diff(x_ray_scattering_factor(number, g)).max() < 0.01


def test_what_the_table_lacks_is_quoted():
    with pytest.raises(InputError, match="atomic number 99; expected 1 to 98"):
        x_ray_scattering_factor(99, np.array(0.0))
    with pytest.raises(InputError, match=r"up to g = 12 1/Å, not 12\.5 1/Å"):
        x_ray_scattering_factor(14, np.array([0.0, 12.5]))
    with pytest.raises(InputError, match="energy_kev is 0; expected a positive number"):
        x_ray_wavelength_angstrom(0)
