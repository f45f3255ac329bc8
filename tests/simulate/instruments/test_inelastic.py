"""The inelastic background: a Lorentzian about every beam, and no electron lost."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from crystalvision_simulate.instruments.detector import BeamStop, Exposure, Inelastic
from crystalvision_simulate.instruments.detector._expected import expected_electrons
from crystalvision_simulate.instruments.detector._inelastic import lorentzian

SIDE = 0.0125


def exposed(exposure, where=((128, 128),), pixels=257, side=SIDE):
    fraction = torch.zeros(1, 1, pixels, pixels, dtype=torch.float64)
    for row, column in where:
        fraction[0, 0, row, column] = 1 / len(where)
    line = (torch.arange(pixels, dtype=torch.float64) - pixels // 2) * side
    q = torch.stack(torch.meshgrid(line, line, indexing="ij"))
    return expected_electrons(fraction, q[None], [exposure])[0, 0].numpy(), torch.hypot(*q).numpy()


@pytest.mark.parametrize("fraction", [0.1, 0.5, 1.0])
def test_electrons_are_moved_and_none_is_lost(fraction):
    image, _ = exposed(Exposure(1e4, inelastic=Inelastic(fraction)))
    assert image.sum() == pytest.approx(1e4, rel=1e-6)
    assert image[128, 128] < 1e4
    assert image.min() >= 0


@pytest.mark.parametrize("half_width", [0.0028, 0.02, 0.1])
def test_the_halo_is_a_lorentzian(half_width):
    """Encircled electrons grow as ln(1 + q²/q_E²); the density falls as 1 / (q² + q_E²)."""
    cutoff = 0.8
    image, radius = exposed(Exposure(1.0, inelastic=Inelastic(1.0, half_width, cutoff)))
    for q in (0.1, 0.3, 0.6):
        expected = np.log1p((q / half_width) ** 2) / np.log1p((cutoff / half_width) ** 2)
        assert image[radius < q].sum() == pytest.approx(expected, abs=0.01)
    ratio = image[128, 128 + 40] / image[128, 128 + 10]
    expected = (0.125**2 + half_width**2) / (0.5**2 + half_width**2)
    assert ratio == pytest.approx(expected, rel=0.01)
    assert image[radius > cutoff + SIDE].max() < 1e-12


def test_the_middle_pixel_holds_its_integral():
    """The peak is narrower than a pixel, so a sample in the middle would be many times too high."""
    how = Inelastic(1.0, 0.0028, 0.4)
    kernel = lorentzian(SIDE, how, (60, 60))

    def column(x):
        return quad(lambda y: 1 / (x**2 + y**2 + how.half_width_inv_angstrom**2), 0, SIDE / 2)[0]

    total = np.pi * np.log1p((how.cutoff_inv_angstrom / how.half_width_inv_angstrom) ** 2)
    expected = 4 * quad(column, 0, SIDE / 2)[0] / total
    assert kernel[60, 60] == pytest.approx(expected, rel=2e-3)
    assert kernel.sum() == pytest.approx(1, abs=1e-12)


def test_a_halo_wider_than_the_detector_loses_what_falls_beyond():
    how = Inelastic(1.0, 0.1, 2.0)
    kernel = lorentzian(SIDE, how, (40, 40))  # to 0.5 1/Å, or 0.506 with half a pixel
    inside = np.log1p((0.506 / 0.1) ** 2) / np.log1p((2.0 / 0.1) ** 2)
    assert inside < kernel.sum() < inside * np.log1p(2 * 5.06**2) / np.log1p(5.06**2)


def test_every_beam_has_its_halo_and_what_leaves_the_edge_does_not_come_back():
    spots = ((128, 128), (60, 200))
    how = Exposure(1.0, inelastic=Inelastic(0.5, 0.01, 0.31))
    image, _ = exposed(how, spots)
    for row, column in spots:
        around = image[row - 3 : row + 4, column - 3 : column + 4]
        assert around.sum() == pytest.approx(around[::-1].sum())
        assert image[row, column + 2] == pytest.approx(image[row + 2, column], rel=1e-3)
    at_the_edge, _ = exposed(how, ((128, 0),))
    assert at_the_edge[:, 128:].max() < 1e-12
    kept = lorentzian(SIDE, how.inelastic, (100, 100))[:, 100:].sum()
    assert at_the_edge.sum() == pytest.approx(0.5 + 0.5 * kept, rel=1e-6)


def test_the_stop_takes_the_direct_beam_but_not_its_halo():
    stopped = Exposure(1e6, inelastic=Inelastic(0.3), beam_stop=BeamStop(0.06))
    image, radius = exposed(stopped)
    assert image[radius < 0.06 - 1e-9].max() == 0
    expected = 3e5 * (1 - np.log1p((0.06 / 0.0028) ** 2) / np.log1p((0.4 / 0.0028) ** 2))
    assert image.sum() == pytest.approx(expected, rel=0.03)


def test_nothing_inelastic_leaves_the_image_as_it_is():
    mixed, _ = exposed(Exposure(1e4, inelastic=Inelastic(0.0)))
    assert mixed[128, 128] == 1e4
    assert mixed.sum() == 1e4
