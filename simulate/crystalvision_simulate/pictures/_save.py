"""Writes a figure whole or not at all."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.errors import InputError
from crystalvision.storage import Destination, whole_file
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


def refuse_source(path: Path, sources: Iterable[Path]) -> None:
    """Check that what is to be written replaces none of the files that it is made from.

    Raises:
        InputError: It would, and what was measured would be lost.
    """
    for source in sources:
        if path.exists() and source.exists() and path.samefile(source):
            raise InputError(
                f"{path} is the file that is read, and is never replaced; give what is written "
                "another name, such as by -o"
            )


def check_output(path: Path, *, overwrite: bool) -> Destination:
    """Check that a figure may be written to `path`, before any work is done.

    Returns:
        What is there now, which the figure may replace; what appears there later it may not.

    Raises:
        InputError: Something is there, or the suffix is none of those that are written.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"{path}: figures are written as {', '.join(FORMATS)}; give -o such a name"
        )
    if path.is_dir():
        raise InputError(f"{path} is a folder; give -o the name of a file, such as figure.png")
    destination = Destination.look(path)
    if destination.taken and not overwrite:
        raise InputError(f"{path} exists; use --overwrite, or another -o")
    return destination


def save_figure(figure: "Figure", to: Path | Destination, *, dpi: int) -> None:
    """Write a figure, replacing in one step what `check_output` found, or what is there now.

    Args:
        figure: The figure.
        to: Where it goes; the suffix says as what.
        dpi: Pixels an inch, of pixel images.

    Raises:
        StorageError: The disk refuses; nothing half-written is left.
    """
    with whole_file(to, overwrite=True) as partial, drawing():
        suffix = partial.suffix.lower()
        figure.savefig(partial, format=suffix[1:], dpi=dpi, metadata=_METADATA[suffix])
