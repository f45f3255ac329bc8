"""Writes the page whole or not at all, and never over something that is no report."""

from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.ordinary_files import check_ordinary
from crystalvision.storage import Destination, disk_errors, whole_file

GENERATOR = "crystalvision report"
"""What a page of ours names as its generator, in a meta tag at its beginning."""

_MARK = '<meta name="generator" content="crystalvision '  # report or benchmark
_BEGINNING = 1024  # bytes that hold the mark


def check_output(path: Path, *, overwrite: bool) -> Destination:
    """Check that a report may be written to `path`: an earlier report there is replaced.

    Returns:
        What is there now, which the report may replace; what appears there later it may not.

    Raises:
        InputError: Something else is there.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give -o the name of a file, such as report.html")
    check_ordinary(path)
    destination = Destination.look(path)
    if overwrite or not destination.taken:
        return destination
    with disk_errors(path, "read"), path.open("rb") as file:
        ours = _MARK.encode() in file.read(_BEGINNING)
    if not ours:
        raise InputError(
            f"{path} exists and is no report of crystalvision; use --overwrite, or another -o"
        )
    return destination


def write_page(to: Path | Destination, page: str) -> None:
    """Write a page, replacing in one step what `check_output` found, or what is there now.

    Raises:
        TakenError: Something else appeared there meanwhile.
        StorageError: The disk refuses; nothing half-written is left.
    """
    with whole_file(to, overwrite=True) as partial:
        partial.write_text(page, encoding="utf-8")
