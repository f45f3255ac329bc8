"""Peaks over 2θ against sums of their profiles, one by one and in float64."""

import numpy as np
import pytest
from scipy.fft import next_fast_len

from crystalvision.contracts import Axis
from crystalvision_simulate.powder import Widths, lorentz_polarisation, peaks, ring_axis
from crystalvision_simulate.powder._peaks import _shapes

LINES = ((1.540593, 2 / 3), (1.544427, 1 / 3))
RINGS = ring_axis(0.93)
STEPS = Axis(name="two_theta", size=2000, scale=0.04, offset=10.0, units="degree")
SPECIMENS = {
    "sharp": Widths(w_deg2=0.0016, size_angstrom=4000.0),
    "as most": Widths(w_deg2=0.008, size_angstrom=500.0, microstrain=0.001),
    "strained": Widths(w_deg2=0.0025, size_angstrom=3000.0, microstrain=0.003),
    "small": Widths(w_deg2=0.04, size_angstrom=80.0),
}
GAUSS = 4 * np.log(2)


def some_rings() -> np.ndarray:
    rng = np.random.default_rng(0)
    rings = np.zeros(RINGS.size)
    rings[rng.integers(1300, RINGS.size, 80)] = rng.exponential(1.0, 80) ** 2
    return rings


def lines_of(rings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angle and strength of each line."""
    some = np.flatnonzero(rings)
    found = []
    for wavelength, share in LINES:
        angle = np.rad2deg(2 * np.arcsin(wavelength * RINGS.values()[some] / 2))
        found.append((angle, rings[some] * share * lorentz_polarisation(angle)))
    return np.concatenate([a for a, _ in found]), np.concatenate([s for _, s in found])


def by_the_same_rule(rings: np.ndarray, widths: Widths) -> np.ndarray:
    """Each line shared by two shapes and two places, as `peaks` does it, and added by itself."""
    angle, strength = lines_of(rings)
    shapes = _shapes(widths, (angle.min(), angle.max()), LINES[0][0])
    parts = int(np.ceil(STEPS.scale / max(0.005, shapes.width_deg.min() / 5)))
    fine, margin = STEPS.scale / parts, 100 * parts
    where = (angle - STEPS.offset) / fine + (parts - 1) / 2 + margin
    length = next_fast_len(STEPS.size * parts + 3 * margin, real=True)
    frequency = np.fft.rfftfreq(length)
    first = np.floor(where)
    turned = np.exp(-2j * np.pi * np.outer(frequency, first))
    turned = turned * (first + 1 - where + np.outer(np.exp(-2j * np.pi * frequency), where - first))
    spectrum = np.zeros(len(frequency), dtype=complex)
    for number, (width, eta) in enumerate(zip(shapes.width_deg, shapes.eta, strict=True)):
        weight = strength * np.clip(1 - np.abs(shapes.node_of(angle) - number), 0, None)
        scaled = np.pi * width / fine * frequency
        shape = (1 - eta) * np.exp(-(scaled**2) / GAUSS) + eta * np.exp(-scaled)
        spectrum += shape * (turned @ weight)
    drawn = np.fft.irfft(spectrum / np.sinc(frequency) ** 2, length)
    return drawn[margin : margin + STEPS.size * parts].reshape(-1, parts).sum(axis=1)


def by_profiles(rings: np.ndarray, widths: Widths, points: int = 8) -> np.ndarray:
    """Each line with its own width, in its own place."""
    angle, strength = lines_of(rings)
    width, eta = widths.of(angle, LINES[0][0])
    within = (np.arange(points) - (points - 1) / 2) / points
    away = (STEPS.values()[:, None] + STEPS.scale * within).reshape(-1, 1) - angle
    gauss = np.sqrt(GAUSS / np.pi) / width * np.exp(-GAUSS * (away / width) ** 2)
    lorentz = 2 / np.pi / width / (1 + 4 * (away / width) ** 2)
    profile = ((1 - eta) * gauss + eta * lorentz) @ strength
    return np.asarray(profile.reshape(-1, points).mean(axis=1) * STEPS.scale)


@pytest.mark.parametrize("name", SPECIMENS)
def test_single_precision_and_fourier_transforms_lose_nothing(name):
    widths, rings = SPECIMENS[name], some_rings()
    expected = by_the_same_rule(rings, widths)
    found = peaks(rings, RINGS, STEPS, LINES, widths)
    assert np.abs(found - expected).max() < 1e-6 * expected.max()


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_pattern_is_the_sum_of_its_profiles(name):
    widths, rings = SPECIMENS[name], some_rings()
    expected = by_profiles(rings, widths)
    found = peaks(rings, RINGS, STEPS, LINES, widths)
    # A line between two steps is shared by them, so that its top is up to 2 % lower.
    assert np.abs(found - expected).max() < 0.02 * expected.max()
    assert np.abs(found - expected).mean() < 1e-3 * expected.max()
    # Tails that leave the axis come back at its other end.
    assert found.sum() == pytest.approx(expected.sum(), rel=0.01)
