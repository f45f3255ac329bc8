"""From electrons to counts: gain, dark counts, noise, and how many bits there are."""

import numpy as np
import pytest

from crystalvision_simulate.instruments.detector import Exposure, Readout
from crystalvision_simulate.instruments.detector._readout import read_out

SHAPE = (1, 400, 400)


def read(mean, readout=Readout(), kind="counting", seed=0):  # noqa: B008
    exposure = Exposure(1.0, kind=kind, readout=readout)
    return read_out(np.full(SHAPE, mean), exposure, np.random.default_rng(seed)).astype(float)


def test_without_a_gain_of_its_own_a_detector_counts_electrons():
    counts = read(4.0)
    assert counts.mean() == pytest.approx(4, abs=4 * 2 / 400)
    assert counts.var() == pytest.approx(4, rel=0.02)
    assert (
        read_out(np.full((1, 2, 2), 4.0), Exposure(1.0), np.random.default_rng(0)).dtype
        == np.uint16
    )


@pytest.mark.parametrize("kind", ["counting", "integrating"])
def test_gain_scales_the_mean_and_its_square_the_variance(kind):
    counts = read(50.0, Readout(gain_counts_per_electron=20), kind)
    assert counts.mean() == pytest.approx(1000, rel=2e-3)
    assert counts.var() == pytest.approx(50 * 20**2, rel=0.02)
    assert (counts % 20 == 0).all()


@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize("mean", [0.5, 40.0])
def test_spread_of_the_gain_adds_its_variance_for_each_electron(spread, mean):
    """A sum of n ~ Poisson(λ) signals of mean g and variance (sg)² has the variance λg²(1 + s²)."""
    gain = 100
    counts = read(mean, Readout(gain, spread))
    assert counts.mean() == pytest.approx(mean * gain, rel=0.02)
    assert counts.var() == pytest.approx(mean * gain**2 * (1 + spread**2), rel=0.03)
    if mean < 1:  # no electron, no signal
        assert (counts == 0).mean() >= np.exp(-mean) - 0.005


def test_one_electron_is_gamma_distributed():
    """With a spread of one, exponentially: skewness 2, and e^-1 of all above the mean."""
    rng = np.random.default_rng(0)
    exposure = Exposure(1.0, readout=Readout(1000, 1.0))
    counts = read_out(np.full(SHAPE, 0.01), exposure, rng)
    single = counts[counts > 0].astype(float)
    assert (single > 1000).mean() == pytest.approx(np.exp(-1), abs=0.04)


def test_offset_dark_counts_and_noise_add_up():
    counts = read(0.0, Readout(offset_counts=100, dark_counts=5, read_noise_counts=3))
    assert counts.mean() == pytest.approx(105, abs=0.05)
    assert counts.var() == pytest.approx(5 + 9 + 1 / 12, rel=0.02)  # 1/12 of rounding
    assert read(0.0, Readout(dark_counts=5)).var() == pytest.approx(5, rel=0.02)
    assert (read(0.0, Readout(offset_counts=7)) == 7).all()


def test_noise_cannot_make_a_count_negative():
    counts = read(0.0, Readout(read_noise_counts=10))
    assert counts.min() == 0
    assert (counts == 0).mean() == pytest.approx(0.52, abs=0.01)  # half, and what rounds to zero


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_pixel_saturates_at_its_bit_depth(bits):
    full = 2**bits - 1
    assert (read(10.0 * full, Readout(bit_depth=bits)) == full).all()
    counts = read(0.5 * full, Readout(bit_depth=bits))
    assert counts.max() < full or bits == 8
    assert counts.mean() == pytest.approx(0.5 * full, rel=2e-3)
    assert (read(1e12, Readout(bit_depth=bits)) == full).all()
    saturated = read(100.0, Readout(gain_counts_per_electron=full, offset_counts=3, bit_depth=bits))
    assert (saturated == full).all()
