"""Kinematic intensities against diffsims', an independent engine, on the same atoms."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Beam
from crystalvision_simulate.defects.vacancy import Vacancy
from crystalvision_simulate.defects.vibration import ThermalVibration
from crystalvision_simulate.renderers.kinematic import Kinematic
from crystalvision_simulate.specimens import SlabCutter, specimen_of
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

pytestmark = [
    pytest.mark.compare,
    pytest.mark.filterwarnings("ignore"),  # diffsims and orix warn of their own affairs
]

FLAT_KEV = 1e7


def diffsims_spots(crystal, radius):
    """Indices of the spots (l = 0) and their |F|² [Å²], by diffsims without a shape factor."""
    reason = "needs diffsims, of the compare extra; CI installs it"
    generators = pytest.importorskip("diffsims.generators.simulation_generator", reason=reason)
    crystal_map = pytest.importorskip("orix.crystal_map", reason=reason)
    diffpy = pytest.importorskip("diffpy.structure", reason=reason)
    from ase.data import chemical_symbols

    lengths = np.diag(crystal.cell)
    atoms = [
        diffpy.Atom(chemical_symbols[number], list(position / lengths))
        for number, position in zip(crystal.numbers, crystal.positions, strict=True)
    ]
    structure = diffpy.Structure(atoms=atoms, lattice=diffpy.Lattice(*lengths, 90, 90, 90))
    generator = generators.SimulationGenerator(
        FLAT_KEV, scattering_params="lobato", shape_factor_model=lambda error, _: 1 + 0 * error
    )
    simulation = generator.calculate_diffraction2d(
        crystal_map.Phase(name="crystal", point_group="1", structure=structure),
        reciprocal_radius=radius,
        max_excitation_error=1e-4,
        with_direct_beam=False,
    )
    spots = simulation.coordinates
    return np.round(spots.data[:, :2] * lengths[:2]).astype(int), np.asarray(spots.intensity)


def test_every_spot_of_a_defective_supercell_agrees():
    radius = 1.4
    rng = np.random.default_rng(0)
    ideal = SlabCutter(beta_silicon_nitride(), width_angstrom=15).cut(9)
    damaged = Vacancy(0.1).apply(ideal, rng).crystal
    crystal = ThermalVibration().apply(damaged, rng).crystal
    indices, theirs = diffsims_spots(crystal, radius)
    specimen, beam = specimen_of(crystal), Beam(FLAT_KEV)
    renderer = Kinematic(band_limit_inv_angstrom=radius)
    waves = renderer.structure_factors(
        specimen, beam, device=torch.device("cpu"), dtype=torch.float64
    )
    rows, columns = renderer.grid(specimen, beam).reach
    ours = abs(waves.numpy()[indices[:, 1] + rows, indices[:, 0] + columns]) ** 2
    assert len(theirs) > 1000
    assert np.linalg.norm(ours - theirs) < 1e-4 * np.linalg.norm(theirs)
