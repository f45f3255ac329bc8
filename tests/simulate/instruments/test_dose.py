"""The area that a dose for each Å² refers to."""

import numpy as np
import pytest

from crystalvision.contracts import Aperture, Specimen
from crystalvision_simulate.instruments.detector import illuminated_area_angstrom2


def specimen(aperture=None):
    return Specimen(np.zeros((1, 3)), np.array([14]), np.array([60.0, 50.0, 100.0]), aperture)


def test_without_an_aperture_it_is_that_of_the_box():
    assert illuminated_area_angstrom2(specimen()) == 3000


@pytest.mark.parametrize(
    ("diameter", "edge"), [(40.0, 4.0), (30.0, 30.0), (20.0, 0.01), (10.0, 30.0)]
)
def test_an_aperture_counts_by_what_it_lets_through(diameter, edge):
    aperture = Aperture(diameter, edge)
    axis = (np.arange(1200) + 0.5) / 1200 * 60 - 30
    through = aperture.transmission(np.hypot(axis[:, None], axis[None, :])) ** 2
    expected = through.sum() * 0.05**2
    assert illuminated_area_angstrom2(specimen(aperture)) == pytest.approx(expected, rel=1e-3)
