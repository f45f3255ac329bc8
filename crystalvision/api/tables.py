"""The file of a table of answers: where it may be written, and that it appears whole."""

import os
from collections.abc import Iterable
from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.measured_files import files_of_list, is_list
from crystalvision.storage import Destination, whole_file
from crystalvision.text import json_text

_SUFFIXES = (".csv", ".json")


def check_table(
    path: str | Path | Destination, *, read: Iterable[object] = (), overwrite: bool = False
) -> Destination:
    """Check that a table can be written, before the work begins.

    Args:
        path: Where, with a suffix that says how: `.csv` or `.json`.
        read: What is read for it: files, lists and folders of them. What is no path is passed over.
        overwrite: Whether a file that is there may be replaced.

    Returns:
        What is there now, which the table may replace; what appears there later it may not.

    Raises:
        InputError: Another suffix, a file that is there already, or one of those that are read.
    """
    if isinstance(path, Destination):
        return path
    path = Path(path)
    if path.suffix not in _SUFFIXES:
        raise InputError(f"-o {path}: expected a file that ends in .csv or .json")
    found = Destination.look(path)
    if found.taken and any(_reads(place, found.target) for place in read):
        raise InputError(
            f"-o {path}: is one of the files that are read, and is never replaced; give the table "
            "another name"
        )
    if path.is_dir() or (found.taken and not overwrite):
        raise InputError(f"{path} is there already; use --overwrite, or another -o file")
    return found


def write_table(to: Destination, as_csv: str, as_json: object) -> None:
    """Write an answer as its suffix says.

    Raises:
        TakenError: Something else appeared there meanwhile.
        StorageError: The disk refuses.
    """
    text = as_csv if to.path.suffix == ".csv" else json_text(as_json, indent=2) + "\n"
    with whole_file(to) as partial:
        partial.write_bytes(text.encode())


def _reads(place: object, target: Path) -> bool:
    """Whether to read a place is to read a file that is there."""
    if not isinstance(place, str | Path) or not Path(place).exists():
        return False
    place, target = Path(place), Path(os.path.realpath(target))
    if place.is_dir():
        return target.is_relative_to(os.path.realpath(place))
    files = [place, *(files_of_list(place) if is_list(place) else ())]
    return any(file.exists() and file.samefile(target) for file in files)
