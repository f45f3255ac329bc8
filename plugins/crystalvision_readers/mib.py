"""MIB files of Merlin detectors (Quantum Detectors): frames of counts with a header of text each.

The header's fields are told in the manual of Merlin: name, number of the frame, bytes of the
header, chips, columns, rows, type, layout of the chips, mask of chips, time, exposure [s].
"""

from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Frame, MeasuredFile, Reader, Recording
from crystalvision_readers._microscopy import electron_facts

_TYPES = {"U01": "u1", "U08": "u1", "U16": ">u2", "U32": ">u4", "U64": ">u8"}
_RAW = "R64"
_MOST_HEADER = 2**16
_MOST_FRAMES = 2**22
_HDR_SUFFIX = ".hdr"


class Mib(Reader):
    """Frames of Merlin detectors."""

    format = "MIB"
    suffixes = (".mib",)
    signatures = (b"MQ1,",)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return MibFile(path)


class MibFile(MeasuredFile):
    """Frames one after the other, all of one size."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        with path.open("rb") as file:
            start = file.read(_MOST_HEADER)
        fields = start[:4096].split(b"\0", 1)[0].decode("latin-1").split(",")
        if len(fields) < 12 or fields[0] != "MQ1":
            raise ValueError("its header has too few fields")
        self._header = _whole(fields[2], "bytes of a header")
        columns, rows = _whole(fields[4], "columns"), _whole(fields[5], "rows")
        self._depth = 0
        dtype = self._type_of(fields)
        self._dtype = np.dtype(dtype)
        self._stride = self._header + rows * columns * self._dtype.itemsize
        size = path.stat().st_size
        count, rest = divmod(size, self._stride)
        if not count:
            raise ValueError(
                f"its header says frames of {self._stride:,} bytes, but it has {size:,}"
            )
        if rest:
            raise ValueError(
                f"its header says frames of {self._stride:,} bytes, but it has {count:,} and "
                f"{rest:,} bytes: it is cut short"
            )
        if count > _MOST_FRAMES:
            raise ValueError(f"it holds {count:,} frames; up to {_MOST_FRAMES:,} are read")
        facts = electron_facts(
            time_s=_number(fields[10]), recorded=fields[9], layout=fields[7].strip()
        )
        frame = Frame((rows, columns), self._dtype.newbyteorder("=").name, facts=facts)
        self.frames = (frame,) * count
        self.scan = _scan(path, count)

    def _type_of(self, fields: list[str]) -> str:
        """Numpy's name of the type of the pixels.

        Raises:
            ValueError: They are packed in a way that is not read.
        """
        name = fields[6].strip()
        if name in _TYPES:
            return _TYPES[name]
        if name != _RAW:
            raise ValueError(f"its pixels are of the type {name!r}; expected U08, U16, U32 or R64")
        if _whole(fields[3], "chips") != 1 or fields[7].strip() != "1x1":
            raise ValueError(
                "its pixels are raw ones of several chips, which lie turned; save it in the "
                "detector's program as U16, or U32"
            )
        depth = next((one for one in reversed(fields[-4:]) if one.strip().isdecimal()), "")
        self._depth = int(depth or 0)
        if self._depth not in {6, 12}:
            raise ValueError(
                f"its pixels are raw ones of {depth or 'unknown'} bits; expected 6 or 12"
            )
        return "u1" if self._depth == 6 else ">u2"

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        frame = self.frames[number]
        with self.path.open("rb") as file:
            file.seek(number * self._stride)
            head = file.read(4)
            if head != b"MQ1,":
                raise ValueError(f"its frame {number} has no header where it should be")
            file.seek(number * self._stride + self._header)
            content = file.read(self._stride - self._header)
        pixels = np.frombuffer(content, self._dtype).reshape(frame.shape)
        if self._depth:  # raw pixels lie backwards in words of 64 bits
            each = 8 // self._dtype.itemsize
            pixels = pixels.reshape(frame.shape[0], -1, each)[..., ::-1].reshape(frame.shape)
        return Recording(pixels[::-1])  # its first row is the lowest


def _whole(text: str, what: str) -> int:
    if not text.strip().isdecimal() or not 0 < int(text) < 2**20:
        raise ValueError(f"its header says {text.strip()!r} {what}")
    return int(text)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _scan(path: Path, count: int) -> tuple[int, ...]:
    """Rows and columns of a scan, from the text file that stands beside it."""
    beside = path.with_suffix(_HDR_SUFFIX)
    if not beside.is_file() or beside.stat().st_size > _MOST_HEADER:
        return ()
    lines = beside.read_text(encoding="latin-1").splitlines()
    known: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(":")
        known[name.strip().lower()] = _number(value.strip())
    row = next((known[name] for name in known if name.startswith("frames per trigger")), None)
    if not row or row < 2 or count % int(row):
        return ()
    return count // int(row), int(row)
