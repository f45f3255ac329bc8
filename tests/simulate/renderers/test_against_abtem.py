"""Multislice against abTEM's, an independent engine, on the same atoms."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Beam
from crystalvision_simulate.defects.vibration import ThermalVibration
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.specimens import SlabCutter, specimen_of
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

pytestmark = [
    pytest.mark.compare,
    pytest.mark.filterwarnings("ignore"),  # abTEM and what it imports warn of their own affairs
]

SLICE = 2.911 / 2
BAND = 4.0


def abtem_intensity(slab, grid, projection, tilt=(0.0, 0.0)):
    """Intensity of every beam, indices (x, y), by abTEM; tilt of the beam in mrad."""
    abtem = pytest.importorskip("abtem", reason="needs the compare extra; CI installs it")
    atoms = slab.to_ase()
    atoms.pbc = True
    atoms.wrap()
    potential = abtem.Potential(
        atoms,
        gpts=grid,
        slice_thickness=SLICE,
        parametrization="lobato",
        projection=projection,
    )
    wave = (
        abtem.PlaneWave(energy=200e3, tilt=tilt).multislice(potential).compute(progress_bar=False)
    )
    return abs(np.fft.fft2(wave.array) / np.prod(grid)) ** 2


@pytest.mark.parametrize(
    ("thickness", "projection", "mistilt"),
    [
        (30, "finite", (0.0, 0.0)),
        # abTEM takes seconds of each: both projections and both thicknesses are above and below
        # without these, and tilts have a test of their own against theory.
        pytest.param(30, "infinite", (0.0, 0.0), marks=pytest.mark.slow),
        pytest.param(75, "finite", (0.0, 0.0), marks=pytest.mark.slow),
        (75, "infinite", (0.0, 0.0)),
        pytest.param(75, "finite", (8.0, 5.0), marks=pytest.mark.slow),
        pytest.param(75, "finite", (0.0, -17.0), marks=pytest.mark.slow),
    ],
)
def test_every_beam_agrees_within_half_a_percent_of_the_incident_beam(
    thickness, projection, mistilt
):
    """abTEM on twice the grid: its own discretisation still moves beams by 1 % on the same one.

    It tilts the beam where we tilt the crystal, so the signs differ.
    """
    ideal = SlabCutter(beta_silicon_nitride(), width_angstrom=10).cut(thickness)
    slab = ThermalVibration().apply(ideal, np.random.default_rng(0)).crystal
    specimen = specimen_of(slab)
    renderer = Multislice(slice_thickness_angstrom=SLICE + 1e-6, band_limit_inv_angstrom=BAND)
    (pattern,) = renderer.render(
        [[specimen]], [Beam(200.0, *mistilt)], device=torch.device("cpu"), dtype=torch.float64
    )
    rows, columns = Plane.of(specimen, BAND).shape
    grid = (2 * columns, 2 * rows)
    theirs = abtem_intensity(slab, grid, projection, (-mistilt[0], -mistilt[1]))
    ours = pattern.intensity[0].numpy()
    q_row, q_column = (
        np.arange(size) - origin
        for size, origin in zip(ours.shape, pattern.direct_beam, strict=True)
    )
    theirs = theirs[q_column[None, :] % grid[0], q_row[:, None] % grid[1]]
    step_y, step_x = pattern.sampling_inv_angstrom
    seen = np.hypot(q_row[:, None] * step_y, q_column[None, :] * step_x) < 1.6
    assert abs(ours - theirs)[seen].max() < 0.005
    scattered = seen & (ours < ours.max())
    assert ours[scattered].sum() > 0.1  # it is dynamical: much of the beam is scattered
