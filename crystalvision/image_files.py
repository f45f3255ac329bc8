"""Reads images from PNG, TIFF, NPY and MRC files: their headers alone, or their pixels too.

What a library would change on the way (palettes, a depth that it scales) is refused, so that counts
stay what was measured.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from crystalvision.errors import InputError

SUFFIXES = (".png", ".tif", ".tiff", ".npy", ".mrc")

Array = np.ndarray[Any, Any]
Reader = TypeVar("Reader")

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type; 3 is a palette


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a file says of its image.

    Attributes:
        shape: (h, w), or (c, h, w) where it has several channels.
        dtype: numpy's name of its type.
    """

    shape: tuple[int, ...]
    dtype: str


def read_image_file(path: Path) -> Array:
    """Read the image of a file.

    Returns:
        (h, w), or (c, h, w) where the file has several channels.

    Raises:
        InputError: No such file, or one that is no image.
    """
    reader = _format(path, _READERS)
    with _decoding(path):
        return reader(path)


def read_image_header(path: Path) -> ImageHeader:
    """Read the shape and type of a file's image, and not its pixels.

    Raises:
        InputError: No such file, or one that is no image.
    """
    reader = _format(path, _HEADERS)
    with _decoding(path):
        return reader(path)


def _format(path: Path, readers: dict[str, Reader]) -> Reader:
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected an image: {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: images of type '{path.suffix}' are not read; use {', '.join(SUFFIXES)}"
        )
    return reader


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Turn the many kinds of error that decoders raise for a damaged file into one."""
    try:
        yield
    except Exception as error:  # each decoder raises its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        kind = path.suffix.lower().lstrip(".").upper()
        raise InputError(f"{path} is not a {kind} image: {reason}") from error


def _read_png(path: Path) -> Array:
    from PIL import Image

    _png_header(path)
    with Image.open(path, formats=["PNG"]) as file:
        image = np.asarray(file)
    return np.moveaxis(image, -1, 0) if image.ndim == 3 else image


def _png_header(path: Path) -> ImageHeader:
    """The header of a PNG file; PNG specification, 11.2.1."""
    with path.open("rb") as file:
        start = file.read(26)
    if len(start) < 26 or not start.startswith(_PNG_SIGNATURE) or start[12:16] != b"IHDR":
        raise ValueError("it does not begin as one")
    width, height = (int.from_bytes(start[place : place + 4], "big") for place in (16, 20))
    depth, colour = start[24], start[25]
    if colour == 3:
        raise ValueError("it has a palette of colours; expected counts")
    if colour not in _PNG_CHANNELS or depth not in {8, 16}:
        raise ValueError(f"it has {depth} bits a channel; expected 8 or 16, which are read exactly")
    channels = _PNG_CHANNELS[colour]
    if depth == 16 and channels > 1:
        raise ValueError(
            "it has several channels of 16 bits, of which only 8 would be read; save it as TIFF"
        )
    shape = (height, width) if channels == 1 else (channels, height, width)
    return ImageHeader(shape, f"uint{depth}")


def _read_tiff(path: Path) -> Array:
    import tifffile

    with tifffile.TiffFile(path) as file:
        image = np.asarray(file.asarray())
        interleaved = _is_interleaved(file, image.shape)
    return np.moveaxis(image, -1, 0) if interleaved else image


def _tiff_header(path: Path) -> ImageHeader:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        shape = tuple(int(size) for size in series.shape)
        if _is_interleaved(file, shape):
            shape = (shape[-1], *shape[:-1])
        return ImageHeader(shape, np.dtype(series.dtype).newbyteorder("=").name)


def _is_interleaved(file: Any, shape: tuple[int, ...]) -> bool:
    """Whether the channels of a TIFF file are its last axis."""
    return len(shape) == 3 and bool(file.pages.first.samplesperpixel == shape[-1] > 1)


def _read_npy(path: Path) -> Array:
    return np.asarray(np.load(path, allow_pickle=False))


def _npy_header(path: Path) -> ImageHeader:
    image = np.load(path, mmap_mode="r", allow_pickle=False)
    return ImageHeader(image.shape, image.dtype.newbyteorder("=").name)


def _read_mrc(path: Path) -> Array:
    import mrcfile

    with mrcfile.open(path, mode="r") as file:
        return _native(np.asarray(file.data))


def _mrc_header(path: Path) -> ImageHeader:
    import mrcfile

    with mrcfile.mmap(path, mode="r") as file:
        return ImageHeader(tuple(file.data.shape), _native_type(file.data.dtype).name)


def _native(image: Array) -> Array:
    """The image in this machine's byte order, and no longer tied to its file."""
    return image.astype(_native_type(image.dtype), copy=True)


def _native_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("=")


_READERS: dict[str, Callable[[Path], Array]] = {
    ".png": _read_png,
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
    ".npy": _read_npy,
    ".mrc": _read_mrc,
}
_HEADERS: dict[str, Callable[[Path], ImageHeader]] = {
    ".png": _png_header,
    ".tif": _tiff_header,
    ".tiff": _tiff_header,
    ".npy": _npy_header,
    ".mrc": _mrc_header,
}
