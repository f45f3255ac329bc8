"""MRC files of electron microscopy: an image, a stack or a volume."""

import bz2
import gzip
import io
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import MeasuredFile, Reader, Recording
from crystalvision.errors import InputError
from crystalvision.measured_files import MAX_BYTES
from crystalvision_readers._stacks import frames_of

_MRC_BYTES = 1024  # of its header
_MRC_EXTENDED = slice(92, 96)  # size of what follows the header
_MRC_MAP = slice(208, 212)
_PACKED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
_MRC_VOLUME = 1  # ispg of one volume; a stack of volumes has 401 to 630
_ODD = "does not keep to MRC2014 ({}), and is read as it seems to be meant"
_VOLUME = "says that it is a volume; its sections are read as images"
_LONGER = "is longer than its header says; what follows the pixels is not read"


class Mrc(Reader):
    """An image, a stack or a volume of electron microscopy (MRC2014)."""

    format = "MRC"
    suffixes = (".mrc",)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return MrcFile(path)


class MrcFile(MeasuredFile):
    """An image, a stack or a volume of electron microscopy.

    Cheng et al., J. Struct. Biol. 192, 146 (2015). A packed file is unpacked in memory, as far as
    its header says that it goes.
    """

    def __init__(self, path: Path) -> None:
        """Read the header, and unpack what is packed.

        Raises:
            InputError: It is packed, and too large.
            ValueError: A header that cannot be true.
        """
        super().__init__()
        unpack = _unpacker(path)
        with unpack(path, "rb") as file:
            header, started = self._header(file.read(_MRC_BYTES))
        shape, dtype = _mrc_shape(header), _mrc_type(header)
        size = math.prod(shape) * dtype.itemsize
        if int(header.ispg) == _MRC_VOLUME and len(shape) == 3:
            self.notes[_VOLUME] = None
        self.frames = frames_of(path, shape, dtype)
        if unpack is open:
            found = path.stat().st_size - started
            if found < size:
                raise ValueError(f"its header says {size:,} bytes of pixels, but it has {found:,}")
            if found > size:
                self.notes[_LONGER] = None
            self._array: np.ndarray[Any, Any] = np.memmap(
                path, dtype, "r", offset=started, shape=shape
            )
            return
        if started + size > MAX_BYTES:
            raise InputError(
                f"{path}: is packed, and takes {started + size:,} bytes unpacked; up to "
                f"{MAX_BYTES:,} are unpacked in memory: unpack it with gunzip or bunzip2, and name "
                "what comes out"
            )
        with unpack(path, "rb") as file:
            content = file.read(started + size)
        if len(content) < started + size:
            raise ValueError("it is cut short")
        self._array = np.frombuffer(content, dtype, offset=started).reshape(shape)

    def _header(self, content: bytes) -> tuple[Any, int]:
        """The header, and where the pixels start [bytes]; makes notes of what is odd in it."""
        from mrcfile.mrcinterpreter import MrcInterpreter

        # Without the size of the extended header, for which memory would be taken unseen.
        alone = content[: _MRC_EXTENDED.start] + bytes(4) + content[_MRC_EXTENDED.stop :]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            read = MrcInterpreter(io.BytesIO(alone), permissive=True, header_only=True)
        self.notes |= dict.fromkeys(_ODD.format(_words(one.message)) for one in caught)
        header = read.header.copy()
        extended = np.frombuffer(content[_MRC_EXTENDED], header.nsymbt.dtype)[0]
        if extended < 0:
            raise ValueError(f"its header says an extended header of {extended} bytes")
        return header, _MRC_BYTES + int(extended)

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        return Recording(self._array if self._array.ndim == 2 else self._array[number])


def _unpacker(path: Path) -> Callable[..., Any]:
    """What opens a file: as mrcfile, by its first bytes, if it is not one that is not packed."""
    with path.open("rb") as file:
        start = file.read(_MRC_MAP.stop)
    if start[_MRC_MAP] == b"MAP ":
        return open
    return next((opener for sign, opener in _PACKED.items() if start.startswith(sign)), open)


def _mrc_type(header: Any) -> np.dtype[Any]:
    from mrcfile.utils import data_dtype_from_header

    found: np.dtype[Any] = np.dtype(data_dtype_from_header(header))
    return found


def _mrc_shape(header: Any) -> tuple[int, ...]:
    """The shape that a header says, or the reason why it cannot be one.

    Raises:
        ValueError: Sizes that make no sense.
    """
    from mrcfile.utils import data_shape_from_header

    sizes = [int(header[name]) for name in ("nz", "ny", "nx")]
    if min(sizes) < 1 or int(header.mz) < 1:
        raise ValueError(f"its header says {'×'.join(map(str, sizes))} pixels")
    shape = tuple(map(int, data_shape_from_header(header)))
    if math.prod(shape) != math.prod(sizes):
        raise ValueError(f"its header says {sizes[0]} sections in volumes of {int(header.mz)}")
    return shape[1:] if len(shape) == 3 and shape[0] == 1 else shape


def _words(message: object) -> str:
    return " ".join(str(message).split())
