"""NPY files: arrays of numpy, which are mapped, not read as a whole."""

from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import MeasuredFile, Reader, Recording
from crystalvision_readers._stacks import frames_of

_SIGNATURE = b"\x93NUMPY"


class Npy(Reader):
    """An array of numpy: an image, or images along its first axis."""

    format = "NPY"
    suffixes = (".npy",)
    signatures = (_SIGNATURE,)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return NpyFile(path)


class NpyFile(MeasuredFile):
    """An array of numpy, which is mapped."""

    is_array = True

    def __init__(self, path: Path) -> None:
        """Map the array.

        Raises:
            TypeError: It holds something that numpy does not map.
            ValueError: No numbers, or another number of bytes than its header says.
        """
        super().__init__()
        with path.open("rb") as file:  # of others numpy leaves some open
            if file.read(len(_SIGNATURE)) != _SIGNATURE:
                raise ValueError("it does not begin as one")
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.memmap):
            raise TypeError("it holds no array that can be mapped")
        if array.dtype.kind not in "biufc":
            raise ValueError(f"it holds values of type {array.dtype}; expected numbers")
        found = path.stat().st_size - int(array.offset)
        if found != array.nbytes:
            raise ValueError(f"its pixels take {array.nbytes:,} bytes, but it has {found:,}")
        self._array: np.ndarray[Any, Any] = array
        self.frames = frames_of(path, array.shape, array.dtype)

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        return Recording(self._array if self._array.ndim == 2 else self._array[number])
