"""Measured pictures on the pixels of a model."""

import numpy as np
import pytest

from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.measured_files import Placement, resample


def axes_of(size: int, scale: float) -> tuple[Axis, Axis]:
    offset = -(size // 2) * scale
    return tuple(Axis(name=name, size=size, scale=scale, offset=offset) for name in ("q_y", "q_x"))


@pytest.mark.parametrize("ellipticity", [0.0, 0.03])
@pytest.mark.parametrize("scale", [0.007, 0.02, 0.031])
def test_counts_are_kept(ellipticity, scale):
    rng = np.random.default_rng(0)
    counts = np.zeros((1, 60, 80))
    counts[:, 20:40, 30:50] = rng.normal(3, 5, (20, 20))  # negative ones are values
    placement = Placement(41.3, 28.6, 0.01, 0.01, ellipticity, 30.0)
    moved, _ = resample(counts, None, placement, axes_of(64, scale))
    bound = 1e-5 if not ellipticity else 2e-3
    assert moved.sum() == pytest.approx(counts.sum(), abs=bound * np.abs(counts).sum())


@pytest.mark.parametrize("ellipticity", [0.0, 0.03])
def test_a_flat_picture_stays_flat_and_what_was_not_seen_is_masked(ellipticity):
    counts = np.full((2, 100, 100), 7.0)
    seen = np.ones((100, 100), dtype=bool)
    seen[40:60, 40:60] = False
    counts[:, ~seen] = 1e6
    moved, new = resample(
        counts, seen, Placement(50, 50, 0.01, 0.01, ellipticity, 80.0), axes_of(64, 0.02)
    )
    assert (moved[:, ~new] == 0).all()
    assert moved[:, new] == pytest.approx(28.0, rel=0.02 if not ellipticity else 0.1)
    middle = new[32 - 4 : 32 + 4, 32 - 4 : 32 + 4]
    assert not middle.any()
    assert not new[0].any()  # beyond the picture
    assert new.sum() == pytest.approx((100 * 100 - 400) / 4, rel=0.05)


def test_spots_lie_where_their_q_is():
    counts = np.zeros((1, 128, 128))
    counts[0, 90, 30] = 100
    placement = Placement(60, 70, 0.008, 0.01)
    axes = axes_of(64, 0.01)
    moved, _ = resample(counts, None, placement, axes)
    row, column = np.unravel_index(moved[0].argmax(), moved[0].shape)
    assert axes[0].values()[row] == pytest.approx(0.16, abs=0.006)
    assert axes[1].values()[column] == pytest.approx(-0.30, abs=0.006)


def test_an_ellipse_becomes_a_circle():
    rows, columns = np.mgrid[:200, :200]
    true = Placement(100, 100, 0.01, 0.01, 0.08, 25.0)
    far = np.hypot(*true.q(rows.astype(float), columns.astype(float)))
    ring = np.exp(-0.5 * ((far - 0.6) / 0.015) ** 2)[None]
    axes = axes_of(180, 0.01)
    moved, _ = resample(ring, None, true, axes)
    y, x = np.meshgrid(axes[0].values(), axes[1].values(), indexing="ij")
    radius, azimuth = np.hypot(y, x), np.arctan2(y, x)
    near = np.abs(radius - 0.6) < 0.06
    sectors = np.floor((azimuth[near] + np.pi) / np.pi * 6).astype(int) % 12
    weights = moved[0][near]
    mean = np.bincount(sectors, weights * radius[near]) / np.bincount(sectors, weights)
    assert np.ptp(mean) < 0.002


def test_other_axes_and_other_places_are_refused():
    counts = np.ones((1, 10, 10))
    curve = (Axis(name="two_theta", size=10, scale=1, offset=0, units="degree"),)
    with pytest.raises(InputError, match="two_theta"):
        resample(counts, None, Placement(5, 5, 0.01, 0.01), curve)
    with pytest.raises(InputError, match="shows nothing"):
        resample(counts, None, Placement(5000, 5, 0.01, 0.01), axes_of(16, 0.01))
