"""NPY and MRC files: arrays whose first axes count images."""

import bz2
import gzip
import io
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.errors import InputError
from crystalvision.image_files._base import MAX_BYTES, Array, Frame, ImageFile

_MAX_FRAMES = 2**20
_MRC_BYTES = 1024  # of its header
_MRC_EXTENDED = slice(92, 96)  # size of what follows the header
_MRC_MAP = slice(208, 212)
_PACKED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
_MRC_VOLUME = 1  # ispg of one volume; a stack of volumes has 401 to 630
_ODD = "does not keep to MRC2014 ({}), and is read as it seems to be meant"
_VOLUME = "says that it is a volume; its sections are read as images"
_LONGER = "is longer than its header says; what follows the pixels is not read"


class NpyFile(ImageFile):
    """An array of numpy, which is mapped, not read as a whole."""

    is_array = True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.memmap):
            array.close()
            raise TypeError("it holds several arrays; save one of them with numpy.save")
        if array.dtype.kind not in "biufc":
            raise ValueError(f"it holds values of type {array.dtype}; expected numbers")
        found = path.stat().st_size - int(array.offset)
        if found != array.nbytes:
            raise ValueError(f"its pixels take {array.nbytes:,} bytes, but it has {found:,}")
        self._array: Array = array
        self.frames = _frames(path, array.shape, array.dtype)

    def _read(self, number: int) -> Array:
        return self._array if self._array.ndim == 2 else self._array[number]


class MrcFile(ImageFile):
    """An image, a stack or a volume of electron microscopy.

    Cheng et al., J. Struct. Biol. 192, 146 (2015). A packed file is unpacked in memory, as far as
    its header says that it goes.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        unpack = _unpacker(path)
        with unpack(path, "rb") as file:
            header, started = self._header(file.read(_MRC_BYTES))
        shape, dtype = _mrc_shape(header), _mrc_type(header)
        size = math.prod(shape) * dtype.itemsize
        if int(header.ispg) == _MRC_VOLUME and len(shape) == 3:
            self.notes[_VOLUME] = None
        self.frames = _frames(path, shape, dtype)
        if unpack is open:
            found = path.stat().st_size - started
            if found < size:
                raise ValueError(f"its header says {size:,} bytes of pixels, but it has {found:,}")
            if found > size:
                self.notes[_LONGER] = None
            self._array: Array = np.memmap(path, dtype, "r", offset=started, shape=shape)
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

    def _read(self, number: int) -> Array:
        return self._array if self._array.ndim == 2 else self._array[number]


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


def _frames(path: Path, shape: Sequence[int], dtype: np.dtype[Any]) -> tuple[Frame, ...]:
    if not 2 <= len(shape) <= 4 or min(shape) < 1:
        raise InputError(
            f"{path}: has shape {tuple(shape)}; expected (rows, columns), or images of that shape "
            "along one or two further axes"
        )
    count = 1 if len(shape) == 2 else int(shape[0])
    if count > _MAX_FRAMES:
        raise InputError(
            f"{path}: holds {count:,} images; up to {_MAX_FRAMES:,} are read: divide it"
        )
    one = tuple(map(int, shape if len(shape) == 2 else shape[1:]))
    return (Frame(one, dtype.newbyteorder("=").name),) * count


def _words(message: object) -> str:
    return " ".join(str(message).split())
