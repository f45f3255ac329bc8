"""Reads the pictures that a microscope is calibrated by."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crystalvision.console import err
from crystalvision.contracts import Axis, Frame, Recording
from crystalvision.errors import InputError
from crystalvision.measured_files import Readers, open_pattern_file
from crystalvision_simulate.microscope._image import Measured, filled

_INVERSE = {"1/angstrom": 1.0, "1/nm": 0.1, "1/m": 1e-10}
_MOST_FRAMES = 20  # of one file: a scan tells no more of the camera than some of its patterns


def count_pictures(path: Path, readers: Readers) -> int:
    """How many patterns of a file `read_pictures` takes.

    Raises:
        InputError: It cannot be read.
    """
    with open_pattern_file(path, 1, _some, readers=readers) as file:
        return len(file)


def read_pictures(path: Path, readers: Readers) -> list[Measured]:
    """The patterns of a file: of a scan, some that lie evenly.

    What the file had to be understood as is said on the standard error.

    Raises:
        InputError: It cannot be read, or its patterns are no pictures.
    """
    there = 0

    def some(count: int) -> Sequence[int]:
        nonlocal there
        there = count
        return _some(count)

    with open_pattern_file(path, 1, some, readers=readers) as file:
        if file.frame(0).dimensions != 2:
            raise InputError(f"{path}: its patterns are curves; expected pictures")
        found = []
        for place, number in enumerate(file.numbers):
            name = path.name if file.alone else f"{path.name}[{number}]"
            found.append(_measured(name, file.record(place), file.frame(place)))
        taken = [f"of its {there} patterns {len(found)} are taken"] if len(found) < there else []
        for note in (*file.notes, *taken):
            err.print(f"note: {path}: {note}", style="dim", markup=False, soft_wrap=True)
        return found


def _some(count: int) -> Sequence[int]:
    """Which of so many patterns are taken."""
    places = np.linspace(0, count - 1, min(count, _MOST_FRAMES))
    chosen: list[int] = np.unique(places.astype(int)).tolist()
    return chosen


def _measured(name: str, recording: Recording, frame: Frame) -> Measured:
    """One picture; where its file has no number, it has the values about it."""
    kind = recording.counts.dtype
    if kind.kind not in "uifb":
        raise InputError(f"{name}: has values of type {kind}; expected real numbers")
    counts = recording.counts[0].astype(np.float64)
    known = np.isfinite(counts) if recording.seen is None else recording.seen
    if not np.isfinite(counts[known]).all():
        raise InputError(f"{name}: some of its pixels are no finite numbers")
    if not known.any():
        raise InputError(f"{name}: none of its pixels was measured")
    bits, full = None, float("inf")
    if kind.kind in "iu":
        bits = 8 * kind.itemsize
        full = _full(counts[known], float(np.iinfo(kind).max))
    if known.all():
        return Measured(name, counts, bits, full, _pixel_size(frame))
    # What is in colour keeps its brightness, by which a title is cut off.
    finite = np.isfinite(counts)
    whole = counts if finite.all() else filled(np.where(known & finite, counts, 0), known)
    return Measured(name, whole, bits, full, _pixel_size(frame), ~known)


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
