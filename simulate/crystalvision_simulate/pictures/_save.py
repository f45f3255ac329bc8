"""Writes a figure whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.errors import InputError
from crystalvision.runs import storage_errors
from crystalvision_simulate.pictures._style import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")
# No date, so that the same figure is the same file.
_METADATA = {
    ".png": {"Software": "CrystalVision"},
    ".pdf": {"Creator": "CrystalVision", "CreationDate": None},
    ".svg": {"Creator": "CrystalVision", "Date": None},
}


def check_output(path: Path, *, overwrite: bool) -> None:
    """Check that a figure may be written to `path`, before any work is done.

    Raises:
        InputError: Something is there, or the suffix is none of those that are written.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"{path}: figures are written as {', '.join(FORMATS)}; give -o such a name"
        )
    if path.is_dir():
        raise InputError(f"{path} is a folder; give -o the name of a file, such as figure.png")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; use --overwrite, or another -o")


def save_figure(figure: "Figure", path: Path, *, dpi: int) -> None:
    """Write a figure, replacing what is there in one step.

    Args:
        figure: The figure.
        path: Where it goes; the suffix says as what.
        dpi: Pixels an inch, of pixel images.

    Raises:
        StorageError: The disk refuses; nothing half-written is left.
    """
    suffix = path.suffix.lower()
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        partial = Path(name)
        try:
            with os.fdopen(number, "wb") as file, drawing():
                figure.savefig(file, format=suffix[1:], dpi=dpi, metadata=_METADATA[suffix])
            partial.chmod(0o644)  # mkstemp keeps others out
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
