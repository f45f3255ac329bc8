"""Crystals from files of any format that ASE or pymatgen reads."""

import warnings
from pathlib import Path

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError


def read_crystal(path: Path) -> Crystal:
    """Any crystal, from a file that ASE or pymatgen reads: POSCAR, extended XYZ, CIF, XSF, JSON.

    The name of the file tells its format, as it does to those two; of a file with several frames,
    the last is taken.

    Args:
        path: The file, with one ordered crystal; relative to the working directory.

    Raises:
        InputError: The file is missing, no reader knows it, it has partially occupied sites, or it
            does not repeat along three cell vectors.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected one with a crystal, such as a POSCAR")
    crystal = _read(path)
    if not crystal.periodic.all():
        raise InputError(
            f"{path}: the crystal does not repeat along all three cell vectors "
            f"(periodic: {crystal.periodic.tolist()}); give the unit cell of a bulk crystal"
        )
    return crystal


def _read(path: Path) -> Crystal:
    """The crystal as the first reader that knows the file reads it."""
    reasons = []
    for reader in (_by_pymatgen, _by_ase):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of rounded coordinates and missing headers
                return reader(path)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        except Exception as error:  # a reader raises whatever a strange file trips it with
            detail = str(error).strip().partition("\n")[0] or type(error).__name__
            reasons.append(f"{reader.__name__.removeprefix('_by_')}: {detail}")
    raise InputError(
        f"{path}: neither pymatgen nor ASE reads it as a crystal ({'; '.join(reasons)}); "
        "convert it to CIF or POSCAR"
    )


def _by_pymatgen(path: Path) -> Crystal:
    from pymatgen.core.structure import Structure

    return Crystal.from_pymatgen(Structure.from_file(path))


def _by_ase(path: Path) -> Crystal:
    import ase.io

    atoms = ase.io.read(path, do_not_split_by_at_sign=True)
    return Crystal.from_ase(atoms[-1] if isinstance(atoms, list) else atoms)
