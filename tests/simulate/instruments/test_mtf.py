"""The modulation transfer function: what comes out is what the table says."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Pattern
from crystalvision_simulate.instruments.detector import Camera, CameraPose, Exposure, project
from crystalvision_simulate.instruments.detector._blur import blur

TABLE = ((0.0, 1.0), (0.25, 0.8), (0.5, 0.55), (0.75, 0.38), (1.0, 0.22))


def rest(frequency):
    """What the table leaves to do behind the pixel, whose own transfer is sinc(u / 2)."""
    nodes, values = np.array(TABLE).T
    return np.interp(frequency, nodes, values / np.sinc(nodes / 2))


def test_the_spectrum_of_a_point_is_the_table_over_that_of_a_pixel():
    """Along the axes and along the diagonal, where the corner lies at 1.41 Nyquist frequencies."""
    image = torch.ones(1, 1, 128, 128, dtype=torch.float64)
    flat = blur(image, [Exposure(1.0, mtf=TABLE)])
    image[0, 0, 64, 64] += 1
    spread = (blur(image, [Exposure(1.0, mtf=TABLE)]) - flat)[0, 0].numpy()
    found = np.abs(np.fft.fft2(spread))
    frequency = np.arange(65) / 64
    for line, scale in ((found[:65, 0], 1), (found[0, :65], 1), (np.diag(found)[:65], np.sqrt(2))):
        assert line == pytest.approx(rest(frequency * scale), abs=4e-3)


def test_ringing_neither_makes_electrons_nor_takes_any():
    """A table ends at the Nyquist frequency, so a spot in one pixel rings; counts are no less."""
    image = torch.zeros(1, 1, 128, 128, dtype=torch.float64)
    image[0, 0, 64, 64] = 1
    spread = blur(image, [Exposure(1.0, mtf=TABLE)])
    assert spread.min() >= 0
    assert 0.995 < float(spread.sum()) <= 1  # the rest falls beyond the edges
    assert blur(torch.zeros(1, 1, 8, 8), [Exposure(1.0, mtf=TABLE)]).abs().max() == 0


def test_a_knife_edge_measures_the_table():
    """Projected, exposed and measured as a microscopist would, with an edge at a slight slant."""
    size, slant = 1201, np.deg2rad(3.0)
    axis = (np.arange(size) - size // 2) * 0.125  # eight points of the pattern a pixel
    distance = axis[None, :] * np.cos(slant) + axis[:, None] * np.sin(slant)
    bright = np.clip(distance / 0.125 + 0.5, 0, 1)
    pattern = Pattern.diffraction(
        torch.from_numpy(bright)[None], (0.125, 0.125), (size // 2,) * 2, 200.0
    )
    image, q = project(pattern, Camera(128, 1.0), CameraPose())
    edge = blur(image[None], [Exposure(1.0, mtf=TABLE)])[0, 0].numpy()
    inner = slice(20, -20)
    across = (q[1] * np.cos(slant) + q[0] * np.sin(slant)).numpy()
    bins = np.round(across[inner, inner] * 8).astype(int)
    reach = 8 * 24
    chosen = np.abs(bins) <= reach
    rise = np.bincount(bins[chosen] + reach, edge[inner, inner][chosen]) / np.bincount(
        bins[chosen] + reach
    )
    line_spread = np.diff(rise)
    spectrum = np.abs(np.fft.rfft(line_spread, 8 * 64)) / line_spread.sum()
    frequency = np.arange(len(spectrum)) / 32  # in Nyquist frequencies, for 64 pixels
    nodes, values = np.array(TABLE).T
    used = (frequency > 0) & (frequency <= 1)
    expected = rest(frequency[used]) * np.sinc(frequency[used] / 2)
    assert np.interp(nodes[1:], frequency, spectrum) == pytest.approx(values[1:], abs=0.01)
    assert spectrum[used] == pytest.approx(expected, abs=0.01)


def test_a_perfect_pixel_leaves_the_image_as_it_is():
    perfect = tuple((u, float(np.sinc(u / 2))) for u in np.linspace(0, 1.5, 31))
    image = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    assert (blur(image, [Exposure(1.0, mtf=perfect)]) - image).abs().max() < 1e-12


def test_nothing_comes_round_the_edge():
    image = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    image[0, 0, 32, 0] = 1
    for exposure in (Exposure(1.0, mtf=TABLE), Exposure(1.0, point_spread_px=2.0)):
        spread = blur(image, [exposure])
        assert spread[..., 32:].max() < 1e-4
        assert 0.4 < float(spread.sum()) < 0.9
