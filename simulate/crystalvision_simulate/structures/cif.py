"""Crystals from CIF files."""

import warnings
from pathlib import Path

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError


def read_cif(path: Path) -> Crystal:
    """Any crystal, from a CIF file.

    Args:
        path: A CIF file with one ordered structure; relative to the working directory.

    Raises:
        InputError: The file is missing, does not parse, or has partially occupied sites.
    """
    from pymatgen.io.cif import CifParser

    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a CIF file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pymatgen warns of every rounded coordinate
            structures = CifParser(path).parse_structures(primitive=False)
    except Exception as error:  # the parser raises whatever a broken file trips it with
        detail = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"{path}: not a CIF file with a crystal structure: {detail}") from error
    try:
        return Crystal.from_pymatgen(structures[0])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
