"""Measured files of a folder, or of a list."""

import csv
from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.measured_files._readers import Readers
from crystalvision.ordinary_files import is_litter

FILE = "file"
_START = 4096


def files_of_folder(folder: Path, readers: Readers) -> list[Path]:
    """All measured files below a folder, in the order of their paths.

    Raises:
        InputError: There are none.
    """
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and readers.reads(path)
        and not any(map(is_litter, path.relative_to(folder).parts))
        and not is_list(path)
    ]
    if not found:
        raise InputError(
            f"{folder}: is a folder without measured files; expected a dataset, or "
            f"{', '.join(readers.suffixes)}"
        )
    return found


def is_list(path: Path) -> bool:
    """Whether a file is a CSV file whose first line names a column `file`."""
    if path.suffix.lower() != ".csv":
        return False
    with path.open("rb") as file:
        start = file.read(_START).decode("utf-8-sig", "replace")
    first = start.splitlines()[0] if start else ""
    return FILE in [cell.strip() for cell in next(csv.reader([first]), [])]


def files_of_list(path: Path) -> list[Path]:
    """The files that a CSV file lists, relative to its folder.

    Raises:
        InputError: It lists none.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row[FILE] or "" for row in csv.DictReader(file, skipinitialspace=True)]
    except (UnicodeDecodeError, csv.Error, KeyError) as error:
        raise InputError(f"{path}: cannot be read as a list of files in CSV: {error}") from error
    names = [row.strip() for row in rows]
    if not all(names) or not names:
        raise InputError(
            f"{path}: lists no files, or has a line without one; name one in each line"
        )
    return [path.parent / name for name in names]
