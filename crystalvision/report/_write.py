"""Writes the page whole or not at all, and never over something that is no report."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.plain_paths import check_plain
from crystalvision.runs import storage_errors

GENERATOR = "crystalvision report"
"""What a page of ours names as its generator, in a meta tag at its beginning."""

_MARK = '<meta name="generator" content="crystalvision '  # report or benchmark
_BEGINNING = 1024  # bytes that hold the mark


def check_output(path: Path, *, overwrite: bool) -> None:
    """Check that a report may be written to `path`: an earlier report there is replaced.

    Raises:
        InputError: Something else is there.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give -o the name of a file, such as report.html")
    check_plain([path])
    if overwrite or not path.exists():
        return
    with storage_errors(path), path.open("rb") as file:
        ours = _MARK.encode() in file.read(_BEGINNING)
    if not ours:
        raise InputError(
            f"{path} exists and is no report of crystalvision; use --overwrite, or another -o"
        )


def write_page(path: Path, page: str) -> None:
    """Write a page, replacing what is there in one step.

    Raises:
        StorageError: The disk refuses; nothing half-written is left.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        partial = Path(name)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(page)
            partial.chmod(0o644)  # mkstemp keeps others out
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
