"""Crystals by what a user calls them: structures, files, folders of files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.console import err
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import Crystal
    from crystalvision.plugins import Catalogue

_LEFT_OUT = 5  # that are named


def crystal_of(
    text: str, catalogue: "Catalogue", option: str, expected: str = "file or structure"
) -> "Crystal":
    """A structure by its name, or the crystal in a file.

    Args:
        text: The name or the path.
        catalogue: What there is to choose from.
        option: What the user gave it as, for the error.
        expected: What might have stood there, for the error.

    Raises:
        InputError: Neither, or a file that holds no crystal.
    """
    from crystalvision_simulate.structures.file import read_crystal

    if catalogue.has("structure", text):
        return catalogue.create("structure", text)
    if Path(text).is_file():
        return read_crystal(Path(text))
    names = ", ".join(catalogue.names("structure"))
    raise InputError(f"{option} {text}: no such {expected}; structures: {names}")


def candidate_crystals(
    places: Sequence[str | Path], catalogue: "Catalogue"
) -> "dict[str, Crystal]":
    """Candidates by name; files of a folder that hold no crystal are said and left out.

    Args:
        places: Structures by name, files, and folders of CIF files.
        catalogue: What there is to choose from.

    Raises:
        InputError: A place that holds no crystal.
    """
    found: dict[str, Crystal] = {}
    for place in map(str, places):
        path = Path(place)
        if path.is_dir() and not catalogue.has("structure", place):
            found |= _of_folder(path)
        else:
            name = place if catalogue.has("structure", place) else path.name
            found[name] = crystal_of(place, catalogue, "--candidates", "file, folder or structure")
    if not found:
        raise InputError("no candidate was given; give crystal files, folders, or structures")
    return found


def _of_folder(path: Path) -> "dict[str, Crystal]":
    from crystalvision_simulate.structures.file import read_crystal

    found: dict[str, Crystal] = {}
    wrong = []
    for file in sorted(path.rglob("*.cif")):
        try:
            found[str(file.relative_to(path))] = read_crystal(file)
        except InputError as error:
            wrong.append(str(error))
    for line in wrong[:_LEFT_OUT]:
        err.print(f"note: left out: {line}", markup=False, soft_wrap=True)
    if len(wrong) > _LEFT_OUT:
        err.print(f"note: {len(wrong) - _LEFT_OUT} more were left out")
    if not found:
        raise InputError(f"--candidates {path}: the folder holds no CIF that can be read")
    return found
