"""Multislice against abTEM's Bloch waves, another theory of the same perfect crystal."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Beam
from crystalvision.plugins import Catalogue
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.specimens import SlabCutter, specimen_of

pytestmark = [
    pytest.mark.compare,
    pytest.mark.filterwarnings("ignore"),  # abTEM and what it imports warn of their own affairs
]


def bloch_intensities(unit_cell, thicknesses, g_max):
    """Intensity of every beam (thickness, beam) by Bloch waves, and its q in 1/Å (beam, 3)."""
    bloch = pytest.importorskip("abtem.bloch", reason="needs the compare extra; CI installs it")
    atoms = unit_cell.to_ase()
    atoms.pbc = True
    factors = bloch.StructureFactor(atoms, g_max=2 * g_max, parametrization="lobato")
    waves = bloch.BlochWaves(factors, energy=200e3, sg_max=0.1, g_max=g_max)
    patterns = waves.calculate_diffraction_patterns(list(thicknesses), lazy=False)
    q = np.array(patterns.miller_indices) @ np.linalg.inv(unit_cell.cell).T
    return np.asarray(patterns.array), q


@pytest.mark.parametrize(
    ("structure", "width", "slices_a_cell", "band", "cells", "g_max"),
    [
        ("aluminium", 4.0, 4, 6.0, (8, 20, 40), 3.0),
        ("si3n4-beta", 9.5, 4, 5.0, (10, 26, 52), 2.4),
    ],
)
def test_beams_agree_with_thickness(structure, width, slices_a_cell, band, cells, g_max):
    """Within 1 % of the incident beam, from 30 to 160 Å along [001]."""
    unit_cell = Catalogue.load().create("structure", structure, {})
    repeat = unit_cell.cell[2, 2]
    thicknesses = [repeat * count for count in cells]
    expected, q = bloch_intensities(unit_cell, thicknesses, g_max)
    renderer = Multislice(repeat / slices_a_cell + 1e-6, band)
    cutter = SlabCutter(unit_cell, width_angstrom=width)
    for thickness, intensities in zip(thicknesses, expected, strict=True):
        specimen = specimen_of(cutter.cut(thickness))
        assert specimen.thickness_angstrom == pytest.approx(thickness)
        (pattern,) = renderer.render(
            [[specimen]], [Beam(200.0)], device=torch.device("cpu"), dtype=torch.float64
        )
        places = q[:, 1::-1] / pattern.sampling_inv_angstrom + pattern.direct_beam
        rows, columns = np.rint(places).astype(int).T
        assert abs(places - np.rint(places)).max() < 1e-3  # every beam lies on the grid
        found = pattern.intensity[0].numpy()[rows, columns]
        flat = abs(q[:, 2]) < 1e-6
        assert flat.sum() > 90
        assert abs(found - intensities)[flat].max() < 0.01
        assert intensities[flat].max() < 0.95  # it is dynamical
