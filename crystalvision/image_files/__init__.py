"""Reads images from PNG, TIFF, NPY and MRC files: their headers alone, or their pixels too.

Every image of a file counts. What a library would change on the way (palettes, a depth that it
scales, losses of a compression) is refused, so that counts stay what was measured; checksums are
verified where the format has any; and no header makes memory for more than `MAX_PIXELS`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from crystalvision.errors import InputError
from crystalvision.image_files._arrays import MrcFile, NpyFile
from crystalvision.image_files._base import (
    MAX_BYTES,
    MAX_PIXELS,
    Array,
    Frame,
    ImageFile,
    decoding,
)
from crystalvision.image_files._gaps import (
    GapValues,
    as_counts,
    fill_gaps,
    find_gaps,
    parse_gap_values,
    saturated,
)
from crystalvision.image_files._patterns import PatternFile, check_alike
from crystalvision.image_files._patterns import open_pattern_file as _open_patterns
from crystalvision.image_files._png import PngFile
from crystalvision.image_files._tiff import TiffFile
from crystalvision.ordinary_files import check_ordinary

SUFFIXES = (".png", ".tif", ".tiff", ".npy", ".mrc")

_OPENERS: dict[str, Callable[[Path], ImageFile]] = {
    ".png": PngFile,
    ".tif": TiffFile,
    ".tiff": TiffFile,
    ".npy": NpyFile,
    ".mrc": MrcFile,
}
_PICTURE = "save what was measured, not a picture of it"
_CONVERT = "read it with its own library, and save the images with numpy.save"
_ADVICE = {
    **dict.fromkeys((".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic", ".pdf"), _PICTURE),
    **dict.fromkeys((".dm3", ".dm4", ".ser", ".emd", ".h5", ".hdf5", ".mib", ".blo"), _CONVERT),
    **dict.fromkeys((".emi", ".hspy", ".cbf", ".edf", ".img", ".nxs", ".raw", ".bin"), _CONVERT),
    ".npz": "save each of its arrays with numpy.save",
    ".gz": "unpack it",
    ".zip": "unpack it",
}

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "SUFFIXES",
    "Array",
    "Frame",
    "GapValues",
    "ImageFile",
    "PatternFile",
    "as_counts",
    "fill_gaps",
    "find_gaps",
    "notes_text",
    "open_image_file",
    "open_pattern_file",
    "parse_gap_values",
    "read_image_file",
    "saturated",
    "unread_suffix",
]


def open_image_file(path: Path) -> ImageFile:
    """Open a file and read what its header says.

    Raises:
        InputError: No such file, or one that is no image.
    """
    check_ordinary(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected an image: {', '.join(SUFFIXES)}")
    if not path.is_file():
        broken = path.is_symlink()
        raise InputError(
            f"{path}: {'a link to a file that is not there' if broken else 'no such file'}"
        )
    opener = _OPENERS.get(path.suffix.lower())
    if opener is None:
        raise InputError(unread_suffix(path))
    with decoding(path):
        return opener(path)


def open_pattern_file(
    path: Path, channels: int, choose: Callable[[int], Sequence[int]] | None = None
) -> PatternFile:
    """Open a file and find its patterns; their pixels are read when they are asked for.

    Args:
        path: The file.
        channels: Channels of a pattern.
        choose: Gives the images to take of so many; by default all, which must be alike.

    Raises:
        InputError: No such file, one that is no image, or images that do not fit.
    """
    return _open_patterns(open_image_file(path), channels, choose)


def notes_text(notes: Mapping[str, Iterable[str]]) -> list[str]:
    """A line for each note, with the files that it is true of."""
    lines = []
    for note, paths in notes.items():
        files = list(paths)
        several = f"{len(files):,} files, the first is " if len(files) > 1 else ""
        lines.append(f"{several}{files[0]}: {note}")
    return lines


def read_image_file(path: Path) -> Array:
    """Read all of a file as one array.

    Returns:
        (h, w), or (c, h, w) where the file has several channels, or several images of one.

    Raises:
        InputError: No such file, one that is no image, or images that differ.
    """
    with open_image_file(path) as file:
        check_alike(path, file.frames, range(len(file.frames)))
        images = [file.read(number) for number in range(len(file.frames))]
    return images[0] if len(images) == 1 else np.stack(images)


def unread_suffix(path: Path, also: str = "") -> str:
    """What to say of a file whose type is not read."""
    suffix = path.suffix.lower()
    advice = f"; {_ADVICE[suffix]}" if suffix in _ADVICE else ""
    return (
        f"{path}: images of type '{path.suffix}' are not read; use {', '.join(SUFFIXES)}{also}"
        f"{advice}"
    )
