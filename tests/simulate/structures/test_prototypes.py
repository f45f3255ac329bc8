"""Every crystal of the table is what it says it is."""

from collections import Counter

import numpy as np
import pytest
import spglib
from ase.neighborlist import neighbor_list
from pymatgen.core import Element

from crystalvision.errors import InputError
from crystalvision_simulate.structures.prototypes import prototypes

DENSITIES = {  # g/cm³, as handbooks have them
    "baddeleyite": 5.8,
    "caesium-chloride": 3.99,
    "cuau": 15.0,
    "diamond": 3.51,
    "magnesium-oxide": 3.58,
    "rutile": 4.25,
    "sodium-chloride": 2.17,
    "spinel": 3.58,
    "strontium-titanate": 5.12,
    "tenorite": 6.5,
    "thallium-bromide": 7.5,
}
BONDS = {  # Å: the shortest distance between two elements; from the chemistry of the compound
    ("baddeleyite", "O", "Zr"): (2.04, 2.30),
    ("gallium-alpha", "Ga", "Ga"): (2.42, 2.50),
    ("li2pd3b", "B", "Pd"): (2.10, 2.16),
    ("mo3al2c", "C", "Mo"): (2.10, 2.16),
    ("spinel", "Al", "O"): (1.90, 1.94),
    ("spinel", "Mg", "O"): (1.90, 1.95),
    ("srsi2", "Si", "Si"): (2.35, 2.45),
    ("rutile", "O", "Ti"): (1.94, 1.96),
    ("strontium-titanate", "O", "Ti"): (1.94, 1.97),
    ("tenorite", "Cu", "O"): (1.94, 1.97),
    ("tin-sulfide", "S", "Sn"): (2.60, 2.67),
}

each = pytest.mark.parametrize("prototype", prototypes(), ids=lambda prototype: prototype.name)


def made(catalogue, prototype):
    return catalogue.create("structure", prototype.name)


def test_the_study_has_four_crystals_of_each_of_its_space_groups():
    groups = Counter(prototype.space_group for prototype in prototypes())
    cubic = {213, 221, 225, 227, 229}
    assert min(groups[number] for number in cubic) >= 4
    assert {number for number in groups if number > 194} == cubic


def test_strained_ones_have_neighbours_of_three_systems():
    groups = [prototype.space_group for prototype in prototypes()]
    for least, most, number in ((3, 15, 2), (16, 74, 3), (75, 142, 5)):
        assert sum(least <= group <= most for group in groups) >= number


@each
@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")  # of spglib
def test_the_space_group_is_the_one_stated(catalogue, prototype):
    crystal = made(catalogue, prototype)
    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    found = spglib.get_symmetry_dataset((crystal.cell, fractional, crystal.numbers), symprec=1e-4)
    assert found.number == prototype.space_group
    assert abs(np.linalg.det(found.transformation_matrix)) == pytest.approx(1)  # conventional


@each
def test_atoms_keep_their_distance(catalogue, prototype):
    crystal = made(catalogue, prototype)
    atoms = crystal.to_ase()
    distances = neighbor_list("d", atoms, 3.6)
    assert distances.min() > 1.2
    for (name, *elements), (least, most) in BONDS.items():
        if name == prototype.name:
            first, second, distance = neighbor_list("ijd", atoms, 3.6)
            symbols = np.array(atoms.get_chemical_symbols())
            bonds = distance[(symbols[first] == elements[0]) & (symbols[second] == elements[1])]
            assert least < bonds.min() < most


def handbook_densities():
    """Name and density [g/cm³] of every element of the table, and of what `DENSITIES` lists."""
    for prototype in prototypes():
        elements = {element for element, *_ in prototype.sites}
        if prototype.name in DENSITIES:
            yield prototype.name, DENSITIES[prototype.name]
        elif len(elements) == 1:
            yield prototype.name, Element(elements.pop()).density_of_solid / 1000


@pytest.mark.parametrize(("name", "expected"), list(handbook_densities()))
def test_the_density_is_that_of_the_material(catalogue, name, expected):
    crystal = catalogue.create("structure", name)
    density = crystal.to_ase().get_masses().sum() * 1.66053907 / crystal.volume_angstrom3
    # β-Mn is less dense than α-Mn, of which the table of elements tells.
    assert density == pytest.approx(expected, rel=0.035 if name == "manganese-beta" else 0.02)


@each
def test_each_is_told_in_a_line_and_takes_another_lattice_parameter(catalogue, prototype):
    entry = catalogue.entry("structure", prototype.name)
    assert entry.summary() == f"{prototype.description} (space group {prototype.space_group})."
    assert prototype.source
    lattice = {
        name: getattr(prototype, name)
        for name in ("a_angstrom", "b_angstrom", "c_angstrom", "beta_deg")
    }
    expected = [f"{name}={value!r}" for name, value in lattice.items() if value is not None]
    assert [str(option) for option in entry.options()] == expected
    assert entry.options()[0].type_name == "float"
    wider = catalogue.create("structure", prototype.name, {"a_angstrom": 10})
    usual = np.linalg.norm(made(catalogue, prototype).cell, axis=1)
    expected = [10, 10 if prototype.b_angstrom is None else usual[1], usual[2]]
    if prototype.c_angstrom is None:
        expected[2] = 10
    assert np.linalg.norm(wider.cell, axis=1) == pytest.approx(expected)
    assert len(wider) == len(made(catalogue, prototype))


def test_a_lattice_parameter_that_is_none_is_refused(catalogue):
    with pytest.raises(
        InputError, match=r"a_angstrom is -4; expected a positive number of Å, such as 4\.04958"
    ):
        catalogue.create("structure", "aluminium", {"a_angstrom": -4})


def test_loading_plugins_imports_nothing_slow(run_python):
    assert (
        run_python(
            "import sys; import crystalvision_simulate as s; s.crystalvision_structures();"
            "print(sorted({'ase', 'matplotlib', 'pymatgen', 'torch'} & set(sys.modules)))"
        )
        == "[]"
    )


@pytest.fixture
def run_python():
    import subprocess
    import sys

    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return run
