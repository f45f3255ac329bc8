"""Reads the pictures that a microscope is calibrated by."""

from pathlib import Path

import numpy as np

from crystalvision.contracts import Axis, Frame
from crystalvision.errors import InputError
from crystalvision.measured_files import Readers
from crystalvision_simulate.microscope._image import Measured

_INVERSE = {"1/angstrom": 1.0, "1/nm": 0.1, "1/m": 1e-10}
_MOST_FRAMES = 20  # of one file: a scan tells no more of the camera than some of its patterns


def read_pictures(path: Path, readers: Readers) -> list[Measured]:
    """The patterns of a file: of a scan, some that lie evenly.

    Raises:
        InputError: It cannot be read, or its patterns are no pictures.
    """
    with readers.open(path) as file:
        count = len(file.frames)
        chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_FRAMES)).astype(int))
        found = []
        for number in chosen.tolist():
            frame = file.frames[number]
            if frame.dimensions != 2:
                raise InputError(f"{path}: its patterns are curves; calibrate takes pictures")
            recording = file.read(number)
            name = path.name if count == 1 else f"{path.name}[{number}]"
            found.append(_measured(name, recording.counts, frame))
        return found


def _measured(name: str, counts: np.ndarray, frame: Frame) -> Measured:
    """One picture, in grey: of three colours their mean, where these are not the same anyway."""
    kind = counts.dtype
    grey = counts.astype(np.float64)
    if grey.ndim == 3:
        grey = grey[0] if len(grey) < 3 else grey[:3].mean(axis=0)
    if not np.isfinite(grey).all():
        raise InputError(f"{name}: some of its pixels are no finite numbers")
    bits, full = None, float("inf")
    if kind.kind in "iu":
        bits = 8 * kind.itemsize
        full = _full(grey, float(np.iinfo(kind).max))
    return Measured(name, grey, bits, full, _pixel_size(frame))


def _full(counts: np.ndarray, greatest: float) -> float:
    """Where pixels are full: the greatest number, if several have it and counters end there."""
    highest = float(counts.max())
    ends = {greatest, *(float(2**bits - 1) for bits in (8, 10, 12, 14, 15, 16))}
    return highest if highest in ends and (counts == highest).sum() >= 3 else float("inf")


def _pixel_size(frame: Frame) -> float | None:
    """Side of a pixel as the file says [1/Å]."""
    if frame.axes is None:
        return None
    rows, columns = frame.axes
    if not isinstance(rows, Axis) or not isinstance(columns, Axis):
        return None
    if rows.units not in _INVERSE or columns.units != rows.units:
        return None
    return float(np.sqrt(rows.scale * columns.scale)) * _INVERSE[rows.units]
