"""Crystals that ASE reads: of formats that name every atom of the cell and its element."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.structures._text import read_text

if TYPE_CHECKING:
    import ase

_ONLY_TYPES = "it numbers its elements and need not name them"
_ONLY_SOME = "it lists the atoms that symmetry makes others of, which ASE does not"
_REFUSED = {
    "lammps-data": _ONLY_TYPES,
    "lammps-dump-text": _ONLY_TYPES,
    "lammps-dump-binary": _ONLY_TYPES,
    "cp2k-dcd": "it names no elements",
    "crystal": _ONLY_SOME,
    "jsv": _ONLY_SOME,
    "xsd": _ONLY_SOME,
    "xtd": _ONLY_SOME,
}


def read_with_ase(path: Path) -> Crystal:
    """The last of the frames of a file, which must all be of one crystal.

    Raises:
        InputError: ASE does not know the format, or cannot read from it which atoms are in the
            cell; or the frames are of different crystals.
    """
    import ase.io
    from ase.io.formats import UnknownFileTypeError, filetype

    try:
        name = str(filetype(str(path)))
    except UnknownFileTypeError as error:
        raise InputError(
            "neither pymatgen nor ASE reads it as a crystal (its name and content are of no format "
            "that they know); convert it to CIF or POSCAR"
        ) from error
    if name in _REFUSED:
        raise InputError(f"the format {name} is not enough: {_REFUSED[name]}; convert it to CIF")
    _check_symmetry(path, name)
    last, count = None, 0
    for frame in ase.io.iread(
        path.as_posix(), index=":", format=name, do_not_split_by_at_sign=True
    ):
        if last is not None and sorted(frame.numbers) != sorted(last.numbers):
            raise InputError(
                f"its frames are of different crystals: frame {count + 1} is {frame.symbols}, the "
                f"one before {last.symbols}; keep one frame"
            )
        last, count = frame, count + 1
    if last is None:
        raise InputError("it holds no atoms")
    return _crystal(last, count)


def _crystal(atoms: "ase.Atoms", frames: int) -> Crystal:
    if atoms.cell.rank < 3:
        raise InputError(
            'it gives no unit cell of three vectors (extended XYZ: Lattice="…"); a crystal needs '
            "one"
        )
    for name, values in atoms.arrays.items():
        if "occupanc" in name.lower() and np.asarray(values, dtype=float).min() < 0.995:
            raise InputError("the crystal has partially occupied sites; make it ordered first")
    if any("occupanc" in str(key).lower() for key in atoms.info):
        raise InputError("the crystal states occupancies of its sites; make it ordered first")
    crystal = Crystal.from_ase(atoms)
    if frames == 1:
        return crystal
    return replace(crystal, assumed=(*crystal.assumed, f"the last of its {frames} frames is meant"))


def _check_symmetry(path: Path, name: str) -> None:
    """Refuse formats that may list an asymmetric unit, unless this file lists all atoms."""
    if name not in {"proteindatabank", "res"}:
        return
    lines = read_text(path, "a file with a crystal").splitlines()
    if name == "proteindatabank":
        cell = next((line for line in lines if line.startswith("CRYST1")), "")
        if "".join(cell[55:66].split()) not in {"", "P1"}:
            raise InputError(f"its space group is {cell[55:66].strip()}: {_ONLY_SOME}; convert it "
                             "to CIF")  # fmt: skip
        return
    words = [line.split() for line in lines]
    lattices = [each[1:2] for each in words if each and each[0].upper() == "LATT"]
    symmetry = any(each and each[0].upper() == "SYMM" for each in words)
    if symmetry or lattices != [["-1"]]:
        raise InputError(f"it states symmetry (LATT, SYMM): {_ONLY_SOME}; convert it to CIF")
