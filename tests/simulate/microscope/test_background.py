"""The smooth background is found whatever its numbers are, not on a grid of them alone."""

import numpy as np
import pytest

from crystalvision_simulate.microscope._background import (
    Background,
    SmoothProfile,
    fit_background,
)


@pytest.mark.parametrize(
    ("half_width", "place", "width"), [(3.3, 24.0, 5.0), (7.1, 31.7, 8.3), (11.9, 20.5, 6.6)]
)
def test_halo_and_ring_are_found(half_width, place, width):
    truth = Background(2.0, 400 * half_width**2, half_width, 60.0, place, width, 0.0)
    radius = np.arange(64.0)
    profile = truth.at(radius)
    found = fit_background(SmoothProfile(profile, np.full(64, 0.1), 3))
    assert found.half_width_px == pytest.approx(half_width, rel=0.02)
    assert found.ring_radius_px == pytest.approx(place, abs=0.2)
    assert found.ring_width_px == pytest.approx(width, rel=0.03)
    assert found.ring_counts == pytest.approx(truth.ring_counts, rel=0.03)
    assert found.halo_counts(64) == pytest.approx(truth.halo_counts(64), rel=0.03)
    assert found.misfit < 0.01
    assert found.at(radius) == pytest.approx(profile, rel=0.01)
