"""Translations of a crystal within its cell, right and in time."""

import time

import ase.build
import numpy as np
import pytest

from crystalvision.contracts import Crystal
from crystalvision_simulate.specimens import CrystalCutter, Sites, generating_translations


def silicon(repeats, displaced=0.0):
    atoms = ase.build.bulk("Si", cubic=True).repeat(repeats)
    atoms.positions += np.random.default_rng(0).normal(0, displaced, atoms.positions.shape)
    return Crystal.from_ase(atoms)


def translations(crystal):
    """All that the generators stand for, in whole numbers of 1/24 of the cell."""
    found = {(0, 0, 0)}
    for shift in generating_translations(crystal):
        step = np.rint(shift * 24).astype(int)
        assert np.allclose(shift * 24, step, atol=1e-6)
        found |= {
            tuple(((np.array(one) + times * step) % 24).tolist())
            for one in found
            for times in range(24)
        }
    return found


@pytest.mark.parametrize(
    ("repeats", "lattice_points"),
    [((1, 1, 1), 4), ((2, 1, 1), 8), ((2, 3, 4), 96), ((6, 6, 6), 864)],
)
def test_a_face_centred_crystal_has_four_lattice_points_in_each_cell(repeats, lattice_points):
    crystal = silicon(repeats)
    assert len(translations(crystal)) == lattice_points
    order = np.random.default_rng(1).permutation(len(crystal))
    shuffled = crystal.with_atoms(crystal.positions[order], crystal.numbers[order])
    assert translations(shuffled) == translations(crystal)


def test_one_atom_of_another_element_leaves_none():
    crystal = silicon((3, 3, 3))
    crystal.numbers[7] = 32
    assert len(generating_translations(crystal)) == 0


def test_one_atom_off_its_site_leaves_none():
    crystal = silicon((3, 3, 3))
    crystal.positions[7] += 0.3
    assert len(generating_translations(crystal)) == 0


def test_what_a_translation_leaves_over():
    crystal = silicon((2, 2, 2))
    sites = Sites(crystal)
    assert sites.repeat_after(np.array([0.25, 0.25, 0.0]))
    assert not sites.repeat_after(np.array([0.25, 0.25, 0.25]))  # a/2 along all three
    assert not sites.repeat_after(np.array([1 / 3, 0, 0]))


@pytest.mark.parametrize("displaced", [0.0, 0.05])
def test_ten_thousand_atoms_are_cut_in_seconds(displaced):
    crystal = silicon((11, 11, 11), displaced)
    start = time.perf_counter()
    cut = CrystalCutter(crystal, zone_axis=(0, 0, 1), width_angstrom=60).cut(50)
    assert time.perf_counter() - start < 5  # 1,000 atoms took 89 s
    assert len(cut) == pytest.approx(60 * 60 * 50 * 8 / 5.43**3, rel=0.05)
