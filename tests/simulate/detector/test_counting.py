"""Counting electrons."""

import numpy as np
import pytest

from crystalvision_simulate.detector import expose

RADIUS = np.hypot(*np.meshgrid(np.arange(-32, 32), np.arange(-32, 32))) * 0.02


def test_counts_are_poisson_at_the_stated_dose():
    fraction = np.full((1, 64, 64), 1 / 4096)
    rng = np.random.default_rng(0)
    counts = np.stack([expose(fraction, RADIUS, rng, dose_electrons=20000) for _ in range(50)])
    assert counts.dtype == np.uint16
    mean = 20000 / 4096
    assert counts.mean() == pytest.approx(mean, rel=0.005)
    assert counts.var() == pytest.approx(mean, rel=0.02)
    neighbours = np.corrcoef(counts[..., :-1].ravel(), counts[..., 1:].ravel())[0, 1]
    assert abs(neighbours) < 0.01


def test_point_spread_keeps_the_dose_and_widens_a_spot():
    fraction = np.zeros((1, 64, 64))
    fraction[0, 32, 32] = 1
    rng = np.random.default_rng(0)
    counts = expose(fraction, RADIUS, rng, dose_electrons=1e5, point_spread_px=0.8)[0]
    rows, columns = np.indices(counts.shape)
    assert counts.sum() == pytest.approx(1e5, rel=0.02)
    assert np.sqrt((counts * (rows - 32) ** 2).sum() / counts.sum()) == pytest.approx(0.8, rel=0.02)
    assert np.sqrt((counts * (columns - 32) ** 2).sum() / counts.sum()) == pytest.approx(
        0.8, rel=0.02
    )


def test_the_stop_takes_the_direct_beam_and_nothing_else():
    fraction = np.full((1, 64, 64), 1e-3)
    rng = np.random.default_rng(0)
    counts = expose(fraction, RADIUS, rng, dose_electrons=1e6, beam_stop_radius_inv_angstrom=0.1)[0]
    assert (counts[RADIUS < 0.1] == 0).all()
    assert (counts[RADIUS >= 0.1] > 0).all()


def test_a_pixel_saturates_rather_than_wrapping_around():
    fraction = np.zeros((1, 4, 4))
    fraction[0, 0, 0] = 1
    counts = expose(fraction, np.ones((4, 4)), np.random.default_rng(0), dose_electrons=1e6)
    assert counts[0, 0, 0] == 65535


def test_the_same_generator_gives_the_same_counts():
    fraction = np.full((1, 8, 8), 0.01)
    first, second = (
        expose(fraction, np.ones((8, 8)), np.random.default_rng(7), dose_electrons=1e3)
        for _ in range(2)
    )
    assert np.array_equal(first, second)
