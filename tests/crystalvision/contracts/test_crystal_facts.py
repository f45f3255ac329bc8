"""What is said of a crystal, and which crystals are none."""

import time

import ase.build
import numpy as np
import pytest

from crystalvision.contracts import Crystal, CrystalFacts, space_group
from crystalvision.errors import InputError


@pytest.mark.parametrize(
    ("atoms", "formula", "count", "group", "density"),
    [
        (ase.build.bulk("Si", cubic=True), "Si", 8, "Fd-3m (227)", 2.329),
        (ase.build.bulk("Si"), "Si", 2, "Fd-3m (227)", 2.329),
        (ase.build.bulk("NaCl", "rocksalt", a=5.6402, cubic=True), "NaCl", 8, "Fm-3m (225)", 2.164),
        (ase.build.bulk("Mg"), "Mg", 2, "P6_3/mmc (194)", 1.74),
        (ase.build.bulk("GaAs", "zincblende", a=5.653), "GaAs", 2, "F-43m (216)", 5.317),
    ],
)
def test_facts_of_known_crystals(atoms, formula, count, group, density):
    facts = CrystalFacts.of(Crystal.from_ase(atoms))
    assert (facts.formula, facts.atoms, facts.space_group) == (formula, count, group)
    assert facts.density_g_cm3 == pytest.approx(density, rel=5e-3)
    assert facts.assumed == ()
    assert str(facts).startswith(f"{formula}, {count} atoms in the cell, {group}, ")


def test_what_was_assumed_is_kept():
    silicon = Crystal.from_ase(ase.build.bulk("Si"))
    told = Crystal(
        silicon.positions, silicon.numbers, silicon.cell, silicon.periodic, assumed=("it is pure",)
    )
    assert CrystalFacts.of(told).assumed == ("it is pure",)
    assert told.with_atoms(told.positions, told.numbers).assumed == ("it is pure",)


def test_a_crystal_that_does_not_repeat_has_no_space_group():
    slab = Crystal.from_ase(ase.build.fcc111("Al", (1, 1, 3), vacuum=5))
    assert space_group(slab) is None
    assert "no space group found" in str(CrystalFacts.of(slab))


def test_the_facts_of_thousands_of_atoms_take_no_time():
    atoms = ase.build.bulk("Si", cubic=True) * (9, 9, 9)
    atoms.rattle(0.05, seed=0)
    started = time.perf_counter()
    facts = CrystalFacts.of(Crystal.from_ase(atoms))
    assert time.perf_counter() - started < 2
    assert facts.space_group == ""
    assert "Si, 5832 atoms in the cell, too many atoms to find a space group" in str(facts)


@pytest.mark.parametrize("number", [0, -1, 119])
def test_atomic_numbers_of_no_element_are_refused(number):
    with pytest.raises(InputError, match=f"the atomic number {number}, as dummies"):
        Crystal(np.zeros((1, 3)), np.array([number]), np.eye(3) * 4, np.ones(3, dtype=bool))
