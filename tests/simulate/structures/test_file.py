"""Crystals from files of any format."""

import ase
import ase.io
import numpy as np
import pytest

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.structures.file import read_crystal
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride


@pytest.mark.parametrize("name", ["POSCAR", "beta.vasp", "beta.json", "beta.cif", "beta.xsf"])
def test_what_pymatgen_writes(tmp_path, name):
    path = tmp_path / name
    fmt = {"beta.vasp": "poscar"}.get(name, "")
    beta_silicon_nitride().to_pymatgen().to(filename=str(path), fmt=fmt)
    _check(read_crystal(path))


@pytest.mark.parametrize("name", ["beta.extxyz", "beta.xyz", "beta.traj", "CONTCAR", "beta@2.cif"])
def test_what_ase_writes(tmp_path, name):
    path = tmp_path / name
    formats = {".xyz": "extxyz", ".cif": "cif", "": "vasp"}
    ase.io.write(path.as_posix().replace("@", "_"), beta_silicon_nitride().to_ase(),
                 format=formats.get(path.suffix))  # fmt: skip
    if "@" in name:
        (tmp_path / name.replace("@", "_")).rename(path)
    _check(read_crystal(path))


def _check(found: Crystal) -> None:
    expected = beta_silicon_nitride()
    assert sorted(found.numbers) == sorted(expected.numbers)
    assert found.volume_angstrom3 == pytest.approx(expected.volume_angstrom3, rel=1e-5)
    assert found.periodic.all()
    atoms = found.to_ase()
    nearest = atoms.get_all_distances(mic=True)[~np.eye(len(atoms), dtype=bool)].min()
    assert nearest == pytest.approx(1.729, abs=1e-3)


def test_the_last_of_several_frames_is_taken(tmp_path):
    path = tmp_path / "run.extxyz"
    small, large = (ase.Atoms("Po", cell=[a] * 3, pbc=True) for a in (3.3, 3.4))
    ase.io.write(path, [small, large])
    found = read_crystal(path)
    assert found.volume_angstrom3 == pytest.approx(3.4**3)
    assert found.assumed == ("the last of its 2 frames is meant",)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.vasp: no such file; expected one with a cryst"):
        read_crystal(tmp_path / "absent.vasp")
    with pytest.raises(InputError, match="this is a folder, no file; expected one with a crystal"):
        read_crystal(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [("notes.txt", "a crystal\n"), ("POSCAR", "Si\nnot\na\nlattice\n\nSi\n1\nDirect\n0 0 0\n")],
)
def test_a_file_that_no_reader_knows_is_refused_in_a_line(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(
        InputError, match=rf"{name}: neither pymatgen nor ASE reads it .*convert it to CIF or"
    ) as caught:
        read_crystal(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_bulk_crystal_is_refused(tmp_path):
    path = tmp_path / "slab.extxyz"
    ase.io.write(path, ase.Atoms("Al", cell=[4, 4, 20], pbc=[True, True, False]))
    with pytest.raises(
        InputError, match=r"periodic: \[True, True, False\]\); give the unit cell of"
    ):
        read_crystal(path)
    path = tmp_path / "molecule.xyz"
    ase.io.write(path, ase.Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]]))
    with pytest.raises(InputError, match=r"molecule\.xyz: it gives no unit cell"):
        read_crystal(path)


def test_partial_occupancy_is_refused(tmp_path):
    from pymatgen.core import Lattice, Structure

    path = tmp_path / "alloy.json"
    Structure(Lattice.cubic(4), [{"Si": 0.5, "Ge": 0.5}], [[0, 0, 0]]).to(filename=str(path))
    with pytest.raises(InputError, match="partially occupied sites; make it ordered first"):
        read_crystal(path)


DIAMOND = (
    "{comment}\n1.0\n0 2.715 2.715\n2.715 0 2.715\n2.715 2.715 0\n{head}\nDirect\n"
    "0 0 0 {first}\n0.25 0.25 0.25 {second}\n"
)


def poscar(tmp_path, comment, head, first="", second=""):
    path = tmp_path / "POSCAR"
    path.write_text(DIAMOND.format(comment=comment, head=head, first=first, second=second))
    return read_crystal(path)


@pytest.mark.parametrize(
    ("comment", "head", "numbers"),
    [("Si", "2", [14, 14]), ("Si2", "2", [14, 14]), ("Ga As", "1 1", [31, 33]),
     ("GaAs", "1 1", [31, 33]), ("Ga1As1", "1 1", [31, 33])],
)  # fmt: skip
def test_elements_of_vasp_4_are_those_of_the_comment_and_that_is_told(
    tmp_path, comment, head, numbers
):
    found = poscar(tmp_path, comment, head)
    assert list(found.numbers) == numbers
    (told,) = found.assumed
    assert "are from the first line; line 6 names none, as in VASP 4" in told


@pytest.mark.parametrize(
    ("comment", "head"),
    [("my crystal", "2"), ("", "2"), ("Si C", "2"), ("Si3 C1", "1 1"), ("GaAs zinc blende", "1 1"),
     ("Xx", "2"), ("Si", "1 1")],
)  # fmt: skip
def test_a_poscar_that_names_no_elements_is_refused(tmp_path, comment, head):
    with pytest.raises(InputError, match=r"POSCAR: it names no elements.*write the elements, such"):
        poscar(tmp_path, comment, head)


def test_elements_behind_the_coordinates(tmp_path):
    found = poscar(tmp_path, "a crystal", "1 1", "Ga", "As")
    assert list(found.numbers) == [31, 33]
    assert found.assumed == ()
    assert list(poscar(tmp_path, "", "Si_pv/5eb9\n2").numbers) == [14, 14]
    with pytest.raises(InputError, match="behind the coordinates contradict those above"):
        poscar(tmp_path, "", "Si\n2", "Ge", "Ge")


@pytest.mark.parametrize(
    ("head", "wrong"),
    [
        ("Si\n3", "counts 3 atoms, but has coordinates of 2"),
        ("Si\n1", "counts 1 atoms, but has coordinates of more"),
        ("Si C\n2", "names 2 elements and gives 1 numbers of atoms"),
        ("X\n2", "'X' is no element"),
        ("T\n2", "'T' is no element"),
    ],
)
def test_a_poscar_that_contradicts_itself_is_refused(tmp_path, head, wrong):
    with pytest.raises(InputError, match=wrong):
        poscar(tmp_path, "", head)


def test_frames_of_different_crystals_are_refused(tmp_path):
    path = tmp_path / "run.extxyz"
    ase.io.write(path, [ase.Atoms(each, cell=[3.3] * 3, pbc=True) for each in ("Po", "Fe")])
    with pytest.raises(InputError, match="frame 2 is Fe, the one before Po; keep one frame"):
        read_crystal(path)


def test_dummy_atoms_are_refused(tmp_path):
    from pymatgen.core import Lattice, Structure

    path = tmp_path / "x.extxyz"
    ase.io.write(
        path, ase.Atoms("XO", cell=[4] * 3, pbc=True, scaled_positions=[[0] * 3, [0.5] * 3])
    )
    with pytest.raises(InputError, match=r"the atomic number 0, as dummies \(X\) have"):
        read_crystal(path)
    path = tmp_path / "x.json"
    Structure(Lattice.cubic(4), ["X", "O"], [[0] * 3, [0.5] * 3]).to(filename=str(path))
    with pytest.raises(InputError, match="a site of 'X0\\+', which is no element"):
        read_crystal(path)


def test_formats_without_elements_or_with_some_of_the_atoms_are_refused(tmp_path):
    atoms = beta_silicon_nitride().to_ase()
    path = tmp_path / "x.lammps-data"
    ase.io.write(path, atoms, format="lammps-data")
    with pytest.raises(InputError, match="it numbers its elements and need not name them"):
        read_crystal(path)
    path = tmp_path / "x.pdb"
    ase.io.write(path, atoms)
    assert len(read_crystal(path)) == 14
    path.write_text(path.read_text().replace("P 1", "P 63/m"))
    with pytest.raises(InputError, match="its space group is P 63/m: it lists the atoms that sym"):
        read_crystal(path)
    path = tmp_path / "x.res"
    ase.io.write(path, atoms)
    assert len(read_crystal(path)) == 14
    path.write_text(path.read_text().replace("LATT -1", "LATT 1"))
    with pytest.raises(InputError, match=r"it states symmetry \(LATT, SYMM\)"):
        read_crystal(path)


def test_atoms_on_each_other_are_refused(tmp_path):
    path = tmp_path / "x.extxyz"
    ase.io.write(path, ase.Atoms("Si2", cell=[4] * 3, pbc=True, positions=[[0] * 3, [0, 0, 0.3]]))
    with pytest.raises(InputError, match=r"sites 'Si 1' and 'Si 2' are 0.3 Å apart"):
        read_crystal(path)


def test_a_file_that_the_first_reader_refuses_is_not_given_to_a_second(tmp_path):
    path = tmp_path / "x.cif"
    path.write_text("data_x\n_cell_length_a 4\n")
    with pytest.raises(InputError, match="not a CIF file with a crystal structure"):
        read_crystal(path)


@pytest.mark.parametrize(
    ("text", "told"), [("a lattice of odd shape", True), ("3 sites have no occupancy", False)]
)
def test_warnings_of_a_reader_are_told_or_refused(tmp_path, monkeypatch, text, told):
    import warnings

    from crystalvision_simulate.structures import file

    def reader(path):
        warnings.warn(text, stacklevel=1)
        return beta_silicon_nitride()

    monkeypatch.setattr(file, "read_with_ase", reader)
    path = tmp_path / "x.xsf"
    path.write_text("CRYSTAL\n")
    if told:
        assert read_crystal(path).assumed == (f"its reader warns: {text}",)
    else:
        with pytest.raises(InputError, match=f"its reader warns: {text}"):
            read_crystal(path)
