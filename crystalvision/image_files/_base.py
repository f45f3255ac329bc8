"""What all kinds of image files have in common: frames, limits, and how their faults are told."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from crystalvision.errors import InputError

Array = np.ndarray[Any, Any]

MAX_PIXELS = 2**26
"""Pixels of an image: 8192×8192. What claims more is refused before it is read."""
MAX_BYTES = 2**28
"""Bytes of an image's pixels: 8192×8192 of float32."""

_STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\x93NUMPY": "NPY",
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"PK\x03\x04": "zip (or NPZ)",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"%PDF": "PDF",
    b"<": "HTML or XML",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a file.

    Attributes:
        shape: (h, w), or (c, h, w) where it has several channels.
        dtype: numpy's name of its type.
        reduced: Whether the file calls it a smaller copy of another.
    """

    shape: tuple[int, ...]
    dtype: str
    reduced: bool = False

    def __str__(self) -> str:
        return f"{'×'.join(map(str, self.shape))} {self.dtype}"


class ImageFile(ABC):
    """An open image file, of which only the header has been read.

    Attributes:
        path: The file.
        frames: Its images, in their order there.
        is_array: Whether it only holds an array, of which nothing tells whether the first axis
            counts images or channels.
        notes: What a reader must know of how the file was understood.
    """

    path: Path
    frames: Sequence[Frame]
    is_array: bool = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: dict[str, None] = {}

    @abstractmethod
    def _read(self, number: int) -> Array:
        """The pixels of a frame, as its shape says."""

    def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of the file."""

    def read(self, number: int) -> Array:
        """The pixels of a frame, (h, w) or (c, h, w), in this machine's byte order.

        Raises:
            InputError: They are damaged, or more than is read.
        """
        frame = self.frames[number]
        check_size(self.path, frame.shape, np.dtype(frame.dtype).itemsize)
        with decoding(self.path):
            image = self._read(number)
            if image.shape != frame.shape or image.dtype.newbyteorder("=").name != frame.dtype:
                raise ValueError(f"its header says {frame}, but its pixels are {image.shape}")
            return image.astype(image.dtype.newbyteorder("="), copy=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


def check_size(path: Path, shape: Sequence[int], itemsize: int) -> None:
    """Refuse an image that is larger than any that is read, before memory is taken for it.

    Raises:
        InputError: It is.
    """
    pixels = math.prod(map(int, shape))
    if pixels > MAX_PIXELS or pixels * itemsize > MAX_BYTES:
        raise InputError(
            f"{path}: its header says {'×'.join(map(str, shape))} pixels, {pixels * itemsize:,} "
            f"bytes; images of up to {MAX_PIXELS:,} pixels and {MAX_BYTES:,} bytes are read: crop "
            "or bin it, or mend the header"
        )


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn the many kinds of error that decoders raise for a damaged file into one."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # each decoder raises its own
        reason = " ".join(str(error).split()) or type(error).__name__
        kind = path.suffix.lower().lstrip(".").upper()
        found = _kind_of(path)
        what = f" but {found}: rename or convert it" if found and found[:3] != kind[:3] else ""
        raise InputError(f"{path} is not a {kind} image{what or f': {reason:.300}'}") from error


def _kind_of(path: Path) -> str:
    """What a file's first bytes say it is, or nothing."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError:
        return ""
    return next((kind for sign, kind in _STARTS.items() if start.startswith(sign)), "")
