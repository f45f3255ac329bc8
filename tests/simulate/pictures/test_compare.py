"""What a comparison says of atoms that were taken, changed, added, moved, by any defect."""

import numpy as np
import pytest

from crystalvision.contracts import Crystal
from crystalvision_simulate.defects.edge_dislocation import EdgeDislocation
from crystalvision_simulate.defects.strain import Strain
from crystalvision_simulate.defects.twin import Twin
from crystalvision_simulate.pictures import compare
from crystalvision_simulate.specimens import CrystalCutter, SlabCutter, specimen_of


@pytest.fixture(scope="module")
def aluminium(catalogue) -> Crystal:
    cell = catalogue.create("structure", "aluminium")
    return CrystalCutter(cell, zone_axis=(1, -1, 0), width_angstrom=40).cut(20.0)


@pytest.fixture(scope="module")
def nitride(catalogue) -> Crystal:
    return SlabCutter(catalogue.create("structure", "si3n4-beta"), width_angstrom=25).cut(12)


def after(ideal, positions=None, numbers=None):
    positions = ideal.positions if positions is None else positions
    numbers = ideal.numbers if numbers is None else numbers
    return compare(ideal, specimen_of(ideal.with_atoms(positions, numbers)))


def far_from_the_sides(crystal, margin=4.0):
    """Whether a site is one that a strain or a dislocation does not take out of the box."""
    box = np.diag(crystal.cell)
    return ((crystal.positions > margin) & (crystal.positions < box - margin)).all(axis=1)


def test_an_ideal_crystal_has_nothing_to_mark(nitride):
    found = after(nitride)
    assert not found.vacant.any()
    assert not found.between.any()
    assert not found.substituted.any()
    assert not found.moved.any()


def test_taken_changed_and_added_atoms_are_found_in_any_order(nitride):
    rng = np.random.default_rng(0)
    count = len(nitride)
    taken, changed = np.split(rng.choice(count, 60, replace=False), [40])
    numbers = nitride.numbers.copy()
    numbers[changed] = 32
    keep = np.setdiff1d(np.arange(count), taken)
    positions = nitride.positions[keep] + rng.normal(0, 0.06, (len(keep), 3))
    hole = np.array([[0.0, 0.0, 1.5], [7.608, 0.0, 1.5]])  # channels of β-Si₃N₄ are that wide
    positions, numbers = np.concatenate([positions, hole]), np.append(numbers[keep], [6, 6])
    order = rng.permutation(len(positions))
    found = after(nitride, positions[order], numbers[order])
    assert set(np.flatnonzero(found.vacant)) == set(taken)
    assert not found.replaced.any()
    assert sorted(numbers[order][found.between]) == [6, 6]
    assert sorted(found.site_of_atom[found.substituted]) == sorted(changed)
    rest = ~found.between
    expected = positions[order][rest] - nitride.positions[found.site_of_atom[rest]]
    assert found.moved[rest] == pytest.approx(expected)
    assert np.abs(found.moved).max() < 0.35


def test_as_many_atoms_taken_as_added(nitride):
    """A Frenkel pair that goes to the end of the list shifts the order of all the others."""
    hole = np.array([[0.0, 0.0, 1.5]])
    positions = np.concatenate([np.delete(nitride.positions, 100, axis=0), hole])
    numbers = np.append(np.delete(nitride.numbers, 100), nitride.numbers[100])
    found = after(nitride, positions, numbers)
    assert np.flatnonzero(found.vacant).tolist() == [100]
    assert np.flatnonzero(found.between).tolist() == [len(nitride) - 1]


def test_an_atom_that_left_its_neighbours_is_off_its_site(nitride):
    positions = nitride.positions.copy()
    positions[100] += (1.2, 0, 0)
    found = after(nitride, positions)
    assert np.flatnonzero(found.vacant).tolist() == [100]
    assert np.flatnonzero(found.between).tolist() == [100]


def test_an_atom_that_left_the_box_and_came_in_again_is_on_its_site(nitride):
    positions = nitride.positions.copy()
    edge = int(np.argmin(positions[:, 0]))
    positions[edge, 0] += nitride.cell[0, 0] - 0.1
    found = after(nitride, positions)
    assert not found.vacant.any()
    assert found.moved[edge] == pytest.approx([-0.1, 0, 0])


def test_strain_beyond_half_a_bond_is_motion_of_all_and_loss_of_none(aluminium):
    rng = np.random.default_rng(0)
    strained = Strain(axial=0.1, direction=(1, 1, 1)).apply(aluminium, rng).crystal
    found = compare(aluminium, specimen_of(strained))
    assert not found.vacant[far_from_the_sides(aluminium)].any()
    along = aluminium.parent.direction((1, 1, 1))
    along = along / np.linalg.norm(along)
    middle = np.diag(aluminium.cell) / 2
    on_site = ~found.between
    reach = (aluminium.positions[found.site_of_atom[on_site]] - middle) @ along
    expected = 0.1 * reach[:, None] * along
    assert np.linalg.norm(expected, axis=1).max() > 1.5  # half a bond is 1.43 Å
    assert found.moved[on_site] == pytest.approx(expected, abs=1e-6)


def test_vacancies_of_a_strained_crystal_are_still_found(aluminium):
    rng = np.random.default_rng(1)
    taken = rng.choice(len(aluminium), 90, replace=False)
    keep = np.setdiff1d(np.arange(len(aluminium)), taken)
    kept = aluminium.with_atoms(aluminium.positions[keep], aluminium.numbers[keep])
    strained = Strain(axial=0.06, direction=(1, 1, 1)).apply(kept, rng).crystal
    found = compare(aluminium, specimen_of(strained))
    stayed = far_from_the_sides(aluminium)
    assert set(np.flatnonzero(found.vacant & stayed)) == set(taken[stayed[taken]])


def test_a_dislocation_moves_atoms_and_takes_none_but_in_its_core(aluminium):
    ideal = aluminium
    defect = EdgeDislocation(line=(1, -1, 2))
    found = compare(ideal, specimen_of(defect.apply(ideal, np.random.default_rng(0)).crystal))
    assert found.vacant[far_from_the_sides(ideal)].mean() < 0.01
    assert np.linalg.norm(found.moved, axis=1).max() < 2.9


def test_a_twin_is_another_lattice_and_not_a_field_of_vacancies(aluminium):
    twinned = Twin(plane=(1, 1, 1)).apply(aluminium, np.random.default_rng(0)).crystal
    found = compare(aluminium, specimen_of(twinned))
    specimen = specimen_of(twinned)
    normal = aluminium.parent.reciprocal((1, 1, 1))
    normal = normal / np.linalg.norm(normal)
    height = (specimen.positions - np.diag(aluminium.cell) / 2) @ normal
    assert not found.between[height < -1.5].any()
    # Of three (111) layers of the twin, one lies on sites of the matrix.
    assert found.between[height > 3].mean() == pytest.approx(2 / 3, abs=0.08)
    far = np.abs(found.sites - np.diag(aluminium.cell) / 2).max(axis=1) < 16
    assert (found.vacant & ~found.replaced & far).sum() < 0.05 * (found.vacant & far).sum()
