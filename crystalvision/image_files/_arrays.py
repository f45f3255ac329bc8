"""NPY and MRC files: arrays whose first axes count images."""

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.errors import InputError
from crystalvision.image_files._base import MAX_BYTES, Array, Frame, ImageFile

_MAX_FRAMES = 2**20
_MRC_BYTES = 1024  # of its header
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
            raise ValueError("it holds several arrays; save one of them with numpy.save")
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
    """An image, a stack or a volume of electron microscopy; Cheng et al., J. Struct. Biol. 192,
    146 (2015). A packed file is unpacked in memory, as far as its header says that it goes.
    """

    def __init__(self, path: Path) -> None:
        import mrcfile

        super().__init__(path)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with mrcfile.open(path, permissive=True, header_only=True) as file:
                header = file.header.copy()
                packed = type(file).__name__ != "MrcFile"
            shape = _mrc_shape(path, header)
            dtype = mrcfile.utils.data_dtype_from_header(header)
        self.notes |= dict.fromkeys(_ODD.format(_words(one.message)) for one in told)
        self._start = _MRC_BYTES + int(header.nsymbt)
        self._size = math.prod(shape) * dtype.itemsize
        if int(header.ispg) == _MRC_VOLUME and len(shape) == 3 and shape[0] > 1:
            self.notes[_VOLUME] = None
        self.frames = _frames(path, shape, dtype)
        self._array = _unpacked(path, shape, dtype) if packed else self._mapped(shape, dtype)

    def _mapped(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        found = self.path.stat().st_size - self._start
        if found < self._size:
            raise ValueError(
                f"its header says {self._size:,} bytes of pixels, but it has {found:,}"
            )
        if found > self._size:
            self.notes[_LONGER] = None
        return np.memmap(self.path, dtype, mode="r", offset=self._start, shape=shape)

    def _read(self, number: int) -> Array:
        return self._array if self._array.ndim == 2 else self._array[number]


def _unpacked(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The pixels of a packed file, of the size that its header says."""
    import mrcfile

    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise InputError(
            f"{path}: is packed, and takes {size:,} bytes unpacked; up to {MAX_BYTES:,} are "
            "unpacked in memory: unpack it with gunzip or bunzip2, and name what comes out"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # told of the header already
        with mrcfile.open(path, permissive=True) as file:
            if file.data is None:
                raise ValueError("it is cut short")
            return np.array(file.data)


def _mrc_shape(path: Path, header: Any) -> tuple[int, ...]:
    """The shape that a header says, or the reason why it cannot be one.

    Raises:
        ValueError: Sizes that make no sense.
    """
    import mrcfile

    sizes = [int(header[name]) for name in ("nz", "ny", "nx")]
    if min(sizes) < 1 or int(header.nsymbt) < 0 or int(header.mz) < 1:
        raise ValueError(f"its header says {'×'.join(map(str, sizes))} pixels")
    shape = tuple(map(int, mrcfile.utils.data_shape_from_header(header)))
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
