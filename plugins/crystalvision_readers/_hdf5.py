"""What readers of HDF5 files share."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import MeasuredFile, Recording
from crystalvision_readers._microscopy import Stack, StackedFile

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MOST_GROUPS = 20_000
_MOST_TEXT = 2**22
_MOST_CHUNK = 2**30  # bytes


class Hdf5File(MeasuredFile):
    """Frames of datasets of an HDF5 file, which stays open."""

    def __init__(self, file: Any, stacks: list[Stack]) -> None:
        super().__init__()
        self._file = file
        self._stacked = StackedFile(stacks)
        self.frames, self.scan = self._stacked.frames, self._stacked.scan

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        return self._stacked.read(number)

    def close(self) -> None:
        """See `MeasuredFile.close`."""
        self._file.close()


def hdf5_images(path: Path, find: Callable[[Any], list[Stack]], nothing: str) -> Hdf5File:
    """The images that `find` finds in an HDF5 file, which is opened to be read only.

    Raises:
        ValueError: `nothing`, where it finds none.
    """
    import h5py

    file = h5py.File(path, "r", locking=False)
    try:
        found = find(file)
    except BaseException:
        file.close()
        raise
    if not found:
        file.close()
        raise ValueError(nothing)
    return Hdf5File(file, found)


def groups_of(file: Any) -> Iterator[tuple[str, Any]]:
    """All groups and datasets, by their path; links to other files are passed over."""
    import h5py

    waiting, seen = [("", file)], 0
    while waiting:
        place, group = waiting.pop()
        for name in group:
            seen += 1
            if seen > _MOST_GROUPS:
                raise ValueError(f"it has more than {_MOST_GROUPS:,} groups")
            link = group.get(name, getlink=True)
            if isinstance(link, (h5py.ExternalLink, h5py.SoftLink)):
                continue
            item = group.get(name)
            if item is None:
                continue
            yield f"{place}/{name}", item
            if isinstance(item, h5py.Group) and len(f"{place}/{name}".split("/")) < 12:
                waiting.append((f"{place}/{name}", item))


def is_images(item: Any) -> bool:
    """Whether an item is a dataset of real numbers, of two dimensions or more, in this file.

    Raises:
        ValueError: It is packed in chunks of which one alone would take too much memory.
    """
    import h5py

    if not isinstance(item, h5py.Dataset) or not 2 <= len(item.shape) <= 6:
        return False
    if item.external or item.is_virtual:
        return False
    if item.dtype.kind not in "iuf" or min(item.shape) < 1:
        return False
    chunk = math.prod(item.chunks or ()) * item.dtype.itemsize
    if item.compression is not None and chunk > _MOST_CHUNK:
        raise ValueError(
            f"its data are packed in chunks of {chunk:,} bytes; up to {_MOST_CHUNK:,} are unpacked "
            "at a time: pack them pattern by pattern"
        )
    return True


def text_of(value: Any, default: str = "") -> str:
    """Text of an attribute or a small dataset."""
    if value is None:
        return default
    if hasattr(value, "shape") and hasattr(value, "asstr"):  # a dataset
        value = value[()] if value.size * value.dtype.itemsize < _MOST_TEXT else b""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else b""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").rstrip("\0")
    return str(value)


def number_of(value: Any) -> float | None:
    """A number of an attribute or a small dataset; `None` for anything else."""
    if value is None:
        return None
    try:
        if hasattr(value, "asstr"):
            value = value[()] if value.size == 1 else None
        return None if value is None else float(np.asarray(value).ravel()[0])
    except (TypeError, ValueError, IndexError):
        return None


def evenly(values: np.ndarray[Any, Any]) -> tuple[float, float] | None:
    """Step and first of values that lie evenly; `None` for others."""
    if len(values) < 2:
        return None
    steps = np.diff(values.astype(np.float64))
    step = float(steps.mean())
    if step == 0 or np.abs(steps - step).max() > 0.01 * abs(step):
        return None
    return step, float(values[0])
