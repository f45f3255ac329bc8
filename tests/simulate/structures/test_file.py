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
    assert read_crystal(path).volume_angstrom3 == pytest.approx(3.4**3)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.vasp: no such file; expected one with a cryst"):
        read_crystal(tmp_path / "absent.vasp")


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
