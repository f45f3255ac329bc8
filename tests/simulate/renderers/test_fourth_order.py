"""Fourth order: thick slices with the errors of thin ones; a band nearly as wide as the grid."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Beam, Specimen
from crystalvision.errors import InputError
from crystalvision_simulate.defects.vibration import ThermalVibration
from crystalvision_simulate.renderers._fourth_order import FourthOrder
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers._slices import Slices
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.scattering import electron_wavelength_angstrom
from crystalvision_simulate.specimens import SlabCutter, specimen_of
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

CPU = torch.device("cpu")
LAYER = 2.911 / 2


def vibrating(cells, width=15.0, seed=0):
    slab = SlabCutter(beta_silicon_nitride(), width_angstrom=width).cut(2.911 * cells)
    return specimen_of(ThermalVibration().apply(slab, np.random.default_rng(seed)).crystal)


def beams_of(renderer, specimen, beam, reach=1.6):
    """Intensities of the beams within a square about q = 0."""
    (pattern,) = renderer.render([[specimen]], [beam], device=CPU)
    y, x = pattern.direct_beam
    rows, columns = (int(reach / step) for step in pattern.sampling_inv_angstrom)
    return pattern.intensity[0, y - rows : y + rows + 1, x - columns : x + columns + 1]


def test_slices_of_three_layers_have_a_fraction_of_the_error():
    errors = {2: 0.0, 4: 0.0}
    for cells, mistilt in ((20, (0.0, 0.0)), (31, (8.0, 4.0)), (40, (0.0, 0.0))):
        specimen, beam = vibrating(cells), Beam(200.0, *mistilt)
        exact = beams_of(Multislice(LAYER / 2 + 1e-6, 4.0), specimen, beam)
        for order, error in errors.items():
            found = beams_of(Multislice(3 * LAYER, 4.0, order=order), specimen, beam)
            errors[order] = max(error, float(abs(found - exact).max()))
    assert 1e-4 < errors[4] < 0.4 * errors[2]


def test_a_wider_band_of_the_same_grid_is_nearer_to_the_truth():
    specimen, beam = vibrating(24), Beam(200.0)
    exact = beams_of(Multislice(1.46, 4.0), specimen, beam)
    narrow, wide = Multislice(1.46, 2.42), Multislice(1.46, 3.5, band_of_nyquist=0.97)
    shapes = [
        Plane.of(specimen, one.band_limit_inv_angstrom, one.band_of_nyquist).shape
        for one in (narrow, wide)
    ]
    assert shapes[0] == shapes[1]
    errors = [abs(beams_of(one, specimen, beam) - exact).max() for one in (narrow, wide)]
    assert errors[1] < 0.45 * errors[0]


def test_half_a_propagation_at_the_surfaces_changes_no_intensity():
    """So multislice from a plane wave to intensities is second order as it is."""
    specimen = vibrating(8)
    slices = Slices.filling(specimen, 1.46)
    half = specimen.positions + np.array([0, 0, slices.step_angstrom / 2])
    taller = specimen.box_angstrom + np.array([0, 0, slices.step_angstrom])
    moved = Specimen(half, specimen.numbers, taller)
    beam = Beam(200.0, 5.0, -3.0)
    one, other = (beams_of(Multislice(1.46), each, beam) for each in (specimen, moved))
    assert abs(one - other).max() < 2e-6


def test_the_correction_is_the_square_of_the_slope():
    """Of a wave across the grid: λ v |∇φ|² / 4πΔ, as one derives it by hand."""
    rng = np.random.default_rng(0)
    box = np.array([20.0, 16.0, 12.0])
    specimen = Specimen(rng.random((4000, 3)) * box, np.full(4000, 14), box)
    plane, beam = Plane.of(specimen, 2.0), Beam(200.0)
    slices = Slices.filling(specimen, 4.0)
    spread = slices.spread_angstrom2(specimen)
    assert spread == pytest.approx(4.0**2 / 12, rel=0.05)
    rows, columns = plane.shape
    y, x = np.arange(rows)[:, None] * 16 / rows, np.arange(columns)[None] * 20 / columns
    k_y, k_x = 2 * np.pi * 2 / 16, 2 * np.pi * 3 / 20
    phase = 0.3 * np.sin(k_y * y + k_x * x)
    slope = (0.3 * np.cos(k_y * y + k_x * x)) ** 2 * (k_y**2 + k_x**2)
    expected = electron_wavelength_angstrom(200.0) * spread / (4 * np.pi * 4.0) * slope
    fourth = FourthOrder(plane, [specimen], [beam], [slices], device=CPU, dtype=torch.float64)
    found = fourth.correct(torch.from_numpy(phase)[None].clone())[0].numpy() - phase
    assert np.abs(found - expected).max() < 0.02 * expected.max()


@pytest.mark.parametrize("first", [0.0, LAYER / 2, 0.3])
@pytest.mark.parametrize("layers", [4, 9, 40])
def test_every_slice_holds_whole_layers(layers, first):
    """Three each, whatever the thickness and wherever the first lies."""
    heights = first + LAYER * np.arange(layers)
    moved = heights[:, None] + np.random.default_rng(0).normal(0, 0.05, (layers, 50))
    positions = np.stack([np.zeros(moved.size), np.zeros(moved.size), moved.ravel()], axis=1)
    box = np.array([5.0, 5.0, layers * LAYER])
    specimen = Specimen(positions, np.full(moved.size, 14), box)
    slices = Slices.of_layers(specimen, 3 * LAYER)
    assert slices.count == -(-layers // 3)
    expected = np.repeat(np.arange(layers) // 3, 50)
    assert np.array_equal(slices.of_atoms, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": 3}, "order is 3; expected 2 or 4"),
        ({"band_of_nyquist": 1.2}, "band_of_nyquist is 1.2; expected 0.1 to 0.99"),
    ],
)
def test_other_orders_and_bands_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Multislice(**options)
