"""What is read at most, and how the faults of files are told."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crystalvision.contracts import Reader
from crystalvision.errors import CrystalVisionError, InputError

MAX_PIXELS = 2**26
"""Points of a pattern: 8192×8192. What claims more is refused before it is read."""
MAX_BYTES = 2**28
"""Bytes of a pattern's points: 8192×8192 of float32."""
MAX_TEXT_BYTES = 2**26
"""Bytes of a file that is read as a whole, as text is."""
START_BYTES = 4096
"""What of a file tells which reader it is for."""

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


def check_size(path: Path, shape: Sequence[int], itemsize: int) -> None:
    """Refuse a pattern that is larger than any that is read, before memory is taken for it.

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


def content_of(path: Path, most: int = MAX_TEXT_BYTES) -> bytes:
    """All bytes of a file that is small enough to be read as a whole.

    Raises:
        InputError: It is larger.
    """
    size = path.stat().st_size
    if size > most:
        raise InputError(
            f"{path}: has {size:,} bytes; files of this kind are read up to {most:,}: divide it"
        )
    return path.read_bytes()


def start_of(path: Path) -> bytes:
    """The first bytes of a file, or nothing if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(START_BYTES)
    except OSError:
        return b""


def kind_of(start: bytes) -> str:
    """What the first bytes of a file say it is, or nothing."""
    return next((kind for sign, kind in _STARTS.items() if start.startswith(sign)), "")


@contextmanager
def decoding(path: Path, reader: Reader) -> Iterator[None]:
    """Turn the many kinds of error that decoders raise for a damaged file into one.

    Args:
        path: The file.
        reader: What reads it.
    """
    try:
        yield
    except CrystalVisionError:
        raise
    except Exception as error:  # each decoder raises its own
        reason = " ".join(str(error).split()) or type(error).__name__
        start = start_of(path)
        found, file_format = kind_of(start), reader.format
        known = start.startswith(reader.signatures) or found[:3].upper() == file_format[:3].upper()
        other = found and not known and "XML" not in found
        what = f" but {found}: rename or convert it" if other else f": {reason:.300}"
        if not path.stat().st_size:
            what = ": it is empty"
        raise InputError(f"{path} is not a {file_format} file{what}") from error
