"""β-Si₃N₄ is the crystal it says it is."""

import numpy as np
import pytest
import spglib
from ase.neighborlist import neighbor_list

from crystalvision_simulate.scattering import electron_scattering_factor
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")  # of spglib
def test_space_group_is_p63_over_m():
    crystal = beta_silicon_nitride()
    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    found = spglib.get_symmetry_dataset((crystal.cell, fractional, crystal.numbers), symprec=1e-4)
    assert found.number == 176
    assert sorted(set(found.wyckoffs)) == ["c", "h"]


def test_bonds_coordination_and_density():
    crystal = beta_silicon_nitride()
    atoms = crystal.to_ase()
    first, second, distance = neighbor_list("ijd", atoms, 2.2)
    bonds = crystal.numbers[first] != crystal.numbers[second]
    assert bonds.all()  # no Si–Si or N–N contact this short
    assert distance.min() == pytest.approx(1.729, abs=1e-3)
    assert distance.max() == pytest.approx(1.739, abs=1e-3)
    neighbours = np.bincount(first)
    assert set(neighbours[crystal.numbers == 14]) == {4}
    assert set(neighbours[crystal.numbers == 7]) == {3}
    density = atoms.get_masses().sum() * 1.66053907 / crystal.volume_angstrom3
    assert density == pytest.approx(3.193, abs=1e-3)


def test_screw_axis_extinguishes_00l_for_odd_l():
    crystal = beta_silicon_nitride()
    reciprocal = np.linalg.inv(crystal.cell).T

    def intensity(order):
        g = order * reciprocal[2]
        length = np.linalg.norm(g)
        phase = np.exp(-2j * np.pi * crystal.positions @ g)
        factors = {int(z): electron_scattering_factor(int(z), length) for z in (7, 14)}
        weights = np.array([factors[z] for z in crystal.numbers.tolist()])
        return abs(np.sum(weights * phase)) ** 2

    even = min(intensity(2), intensity(4))
    assert max(intensity(1), intensity(3), intensity(5)) < 1e-8 * even
