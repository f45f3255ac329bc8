"""The text of a user's file, whatever wrote it."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from crystalvision.errors import InputError, StorageError

LARGEST_BYTES = 32 * 2**20
"""Of the text of a crystal: hundreds of thousands of atoms."""

_OPENERS: dict[bytes, Callable[[Path], object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_CONTROLS = dict.fromkeys([*range(9), 11, *range(13, 32), *range(127, 160)], " ")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_text(path: Path, expected: str) -> str:
    r"""The text of a file, with `\n` between lines and without a byte-order mark.

    It may be packed by gzip, bzip2 or xz. UTF-8 and UTF-16 are understood; of other encodings only
    the letters that all share, which is enough for numbers and symbols.

    Args:
        path: The file.
        expected: What it should be, for the errors, such as `a CIF file`.

    Raises:
        InputError: It is missing, too large, or no text.
        StorageError: It cannot be read.
    """
    if not path.is_file():
        found = "this is a folder, no file" if path.is_dir() else "no such file"
        raise InputError(f"{path}: {found}; expected {expected}")
    try:
        data = _unpacked(path)
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile, ValueError) as error:
        raise InputError(f"{path}: a damaged packed file: {error}") from error
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST_BYTES:
        raise InputError(
            f"{path}: more than {LARGEST_BYTES // 2**20} MiB of text; expected {expected}"
        )
    return _decoded(path, data, expected)


def _unpacked(path: Path) -> bytes:
    with path.open("rb") as raw:
        start = raw.read(6)
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            with cast("IO[bytes]", opener(path)) as stream:
                return stream.read(LARGEST_BYTES + 1)
    with path.open("rb") as stream:
        return stream.read(LARGEST_BYTES + 1)


def _decoded(path: Path, data: bytes, expected: str) -> str:
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\0" in text:
        raise InputError(f"{path}: not a text file; expected {expected}")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\N{NO-BREAK SPACE}", " ")
    return text.translate(_CONTROLS)  # labels reach the terminal
