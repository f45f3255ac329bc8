"""Both forms of Si₃N₄ are the crystals they say they are."""

import numpy as np
import pytest
import spglib
from ase.neighborlist import neighbor_list

from crystalvision_simulate.scattering import electron_scattering_factor
from crystalvision_simulate.structures.silicon_nitride import (
    alpha_silicon_nitride,
    beta_silicon_nitride,
)


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")  # of spglib
@pytest.mark.parametrize(
    ("form", "number", "wyckoffs", "atoms"),
    [
        (alpha_silicon_nitride, 159, ["a", "b", "c"], 28),
        (beta_silicon_nitride, 176, ["c", "h"], 14),
    ],
)
def test_space_groups_are_p31c_and_p63_over_m(form, number, wyckoffs, atoms):
    crystal = form()
    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    found = spglib.get_symmetry_dataset((crystal.cell, fractional, crystal.numbers), symprec=1e-4)
    assert found.number == number
    assert sorted(set(found.wyckoffs)) == wyckoffs
    assert len(crystal) == atoms


@pytest.mark.parametrize(
    ("form", "shortest", "longest", "density"),
    [
        (alpha_silicon_nitride, 1.700, 1.773, 3.177),
        (beta_silicon_nitride, 1.729, 1.739, 3.193),
    ],
)
def test_bonds_coordination_and_density(form, shortest, longest, density):
    crystal = form()
    atoms = crystal.to_ase()
    first, second, distance = neighbor_list("ijd", atoms, 2.2)
    bonds = crystal.numbers[first] != crystal.numbers[second]
    assert bonds.all()  # no Si–Si or N–N contact this short
    assert distance.min() == pytest.approx(shortest, abs=1e-3)
    assert distance.max() == pytest.approx(longest, abs=1e-3)
    neighbours = np.bincount(first)
    assert set(neighbours[crystal.numbers == 14]) == {4}
    assert set(neighbours[crystal.numbers == 7]) == {3}
    measured = atoms.get_masses().sum() * 1.66053907 / crystal.volume_angstrom3
    assert measured == pytest.approx(density, abs=1e-3)


@pytest.mark.parametrize("form", [alpha_silicon_nitride, beta_silicon_nitride])
def test_00l_is_extinct_for_odd_l(form):
    """By the screw axis of P6₃/m, and by the glide plane of P31c."""
    crystal = form()
    reciprocal = np.linalg.inv(crystal.cell).T

    def intensity(order):
        g = order * reciprocal[2]
        length = np.linalg.norm(g)
        phase = np.exp(-2j * np.pi * crystal.positions @ g)
        at = np.array([length])
        factors = {z: electron_scattering_factor(z, at)[0] for z in (7, 14)}
        weights = np.array([factors[z] for z in crystal.numbers.tolist()])
        return abs(np.sum(weights * phase)) ** 2

    even = min(intensity(2), intensity(4))
    assert max(intensity(1), intensity(3), intensity(5)) < 1e-8 * even
