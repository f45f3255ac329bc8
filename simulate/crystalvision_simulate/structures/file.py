"""Crystals from files of any format that ASE or pymatgen reads."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from crystalvision.contracts import Crystal
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.json_text import parse_json
from crystalvision_simulate.structures._ase import read_with_ase
from crystalvision_simulate.structures._distances import check_distances
from crystalvision_simulate.structures._elements import symbol_of
from crystalvision_simulate.structures._poscar import is_poscar, with_elements
from crystalvision_simulate.structures._text import read_text
from crystalvision_simulate.structures._warnings import judged
from crystalvision_simulate.structures.cif import looks_like_cif, read_cif

_CIF = (".cif", ".mcif")
# Of several frames, pymatgen would take one and say nothing; of .res it leaves out the symmetry.
_ONLY_ASE = ("vasprun", "XDATCAR", ".xsf", ".res")
_BEGINNING = 2**16


def read_crystal(
    path: Path, block: str | None = None, missing: str | tuple[str, ...] = ()
) -> Crystal:
    """Any crystal, from a file that ASE or pymatgen reads: POSCAR, extended XYZ, CIF, XSF, JSON.

    The name of the file tells its format, as it does to those two; a CIF is known by its content as
    well. Of several frames of one crystal, the last is taken. What was assumed is in
    `Crystal.assumed`.

    Args:
        path: The file, with one ordered crystal; relative to the working directory.
        block: The data block of a CIF to read, where several hold a structure.
        missing: Elements that may have fewer sites in a CIF than its formula has atoms, such as H.

    Raises:
        InputError: The file is missing, no reader knows it, it has partially occupied sites or
            sites of no element, it does not name its elements, its frames are of different
            crystals, or it does not repeat along three cell vectors.
        StorageError: The file cannot be read.
    """
    if not path.is_file():
        found = "this is a folder, no file" if path.is_dir() else "no such file"
        raise InputError(f"{path}: {found}; expected one with a crystal, such as a POSCAR")
    if _is_cif(path):
        return read_cif(path, block, missing)
    if block is not None:
        raise InputError(f"{path}: only CIF files have blocks, and this is none; leave block out")
    if missing:
        raise InputError(
            f"{path}: only CIF files state what may be missing, and this is none; leave missing out"
        )
    try:
        with judged() as warned:
            crystal = _read(path)
        crystal = replace(crystal, assumed=(*crystal.assumed, *warned))
        _check(crystal)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return crystal


def _check(crystal: Crystal) -> None:
    if not crystal.periodic.all():
        raise InputError(
            "the crystal does not repeat along all three cell vectors "
            f"(periodic: {crystal.periodic.tolist()}); give the unit cell of a bulk crystal"
        )
    labels = [f"{symbol_of(each)} {at}" for at, each in enumerate(crystal.numbers, start=1)]
    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    check_distances(crystal.cell, fractional, crystal.numbers, labels)


def _is_cif(path: Path) -> bool:
    if any(each in path.name.lower() for each in _CIF):
        return True
    with path.open("rb") as stream:
        start = stream.read(_BEGINNING)
    encoding = "utf-16" if start[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    return looks_like_cif(start.decode(encoding, errors="replace"))


def _read(path: Path) -> Crystal:
    """The crystal, as the one reader that the name of its file calls for reads it."""
    if is_poscar(path.name):
        return _reading(_poscar, path)
    by_ase = any(word in path.name for word in _ONLY_ASE) or _is_ase_json(path)
    return _reading(read_with_ase if by_ase else _by_pymatgen_or_ase, path)


def _reading(reader: Callable[[Path], Crystal], path: Path) -> Crystal:
    try:
        return reader(path)
    except CrystalVisionError:
        raise
    except Exception as error:  # a reader raises whatever a strange file trips it with
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"neither pymatgen nor ASE reads it as a crystal ({detail}); convert it to CIF or "
            "POSCAR"
        ) from error


def _poscar(path: Path) -> Crystal:
    from pymatgen.io.vasp.inputs import Poscar

    read = with_elements(read_text(path, "a POSCAR"))
    crystal = Crystal.from_pymatgen(Poscar.from_str(read.text).structure)
    return replace(crystal, assumed=(*crystal.assumed, *read.assumed))


def _by_pymatgen_or_ase(path: Path) -> Crystal:
    """As pymatgen reads it; ASE is asked only where pymatgen does not know the format."""
    from pymatgen.core.structure import Structure

    try:
        structure = Structure.from_file(path)
    except ValueError as error:
        if not str(error).startswith("Unrecognized extension"):
            raise
        return read_with_ase(path)
    return Crystal.from_pymatgen(structure)


def _is_ase_json(path: Path) -> bool:
    """Whether it is a database of ASE, which has the name of pymatgen's files."""
    if not path.name.lower().endswith(".json"):
        return False
    try:
        data = parse_json(read_text(path, "a JSON file with a crystal"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a JSON file: {str(error)[:100]}") from error
    return isinstance(data, dict) and "ids" in data and "nextid" in data
