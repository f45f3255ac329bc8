"""What readers of electron microscopy share: calibrations in their units, and stacks on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from crystalvision.contracts import Axis, Facts, Frame, MeasuredFile, Recording
from crystalvision.electrons import electron_wavelength_angstrom

_MOST_FRAMES = 2**22
_MIDDLE = "the direct beam falls in the middle of the frame"

# Lengths as programs write them [Å]; one over them are reciprocal lengths.
_LENGTHS: Mapping[str, float] = {
    **dict.fromkeys(("å", "a", "angstrom", "angstroms", "ångström"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometers"), 10.0),
    **dict.fromkeys(("µm", "um", "μm", "micron", "microns"), 1e4),
    **dict.fromkeys(("m", "meter", "meters"), 1e10),
    "pm": 0.01,
}
_PRINTED = {"cm", "mm", "in", "inch", "inches"}  # sizes on a screen, or of a print
_ANGLES = {"rad": 1e3, "mrad": 1.0}  # mrad
_POWERS = str.maketrans({"⁻": "-", "¹": "1", "−": "-", "{": "", "}": "", "$": "", "*": "^"})


@dataclass(frozen=True, slots=True)
class Scale:
    """Calibration of an axis as a file has it: point `i` lies at `offset + scale * i`.

    Attributes:
        scale: Distance between points [units].
        units: As the file writes them.
        offset: Where point 0 lies [units]; `None` where the file does not say where zero is.
    """

    scale: float
    units: str
    offset: float | None = None


def known_units(units: str) -> tuple[str, float] | None:
    """Units of ours, and how many of them one of the file's is; `None` where they are unknown."""
    text = units.translate(_POWERS).replace(" ", "").strip("[]()").lower()
    if text in _ANGLES:
        return "mrad", _ANGLES[text]
    if text in _LENGTHS:
        return "angstrom", _LENGTHS[text]
    below = (
        text.removeprefix("1/") if text.startswith("1/") else text.removesuffix("-1").rstrip("^")
    )
    if below != text and below in _LENGTHS:
        return "1/angstrom", 1 / _LENGTHS[below]
    return None


def is_printed(units: str) -> bool:
    """Whether units are those of a screen or of a print, which calibrate no pattern."""
    return units.strip().lower() in _PRINTED


def is_reciprocal(units: str) -> bool:
    """Whether units are those of a diffraction pattern."""
    found = known_units(units)
    return found is not None and found[0] in {"1/angstrom", "mrad"}


def image_axes(
    shape: Sequence[int], scales: Sequence[Scale], energy_kev: float | None = None
) -> tuple[tuple[Axis, ...] | None, tuple[str, ...]]:
    """Axes of rows and columns, and what had to be assumed; no axes where nothing is calibrated.

    Angles become 1/Å where the energy of the electrons is known.
    """
    axes, assumed = [], []
    known = energy_kev is not None and 0 < energy_kev < np.inf
    wavelength = electron_wavelength_angstrom(energy_kev) if energy_kev and known else None
    for size, scale, across in zip(shape, scales, ("y", "x"), strict=True):
        found = known_units(scale.units)
        if found is None or not np.isfinite(scale.scale) or scale.scale <= 0:
            return None, ()
        units, factor = found
        if units == "mrad" and wavelength is not None:
            units, factor = "1/angstrom", factor / 1e3 / wavelength
        step = scale.scale * factor
        offset = 0.0 if scale.offset is None else scale.offset * factor
        if scale.offset is None and units != "angstrom":
            offset = -(size // 2) * step
            assumed.append(_MIDDLE)
        name = {"1/angstrom": f"q_{across}", "mrad": f"theta_{across}"}.get(units, across)
        axes.append(Axis(name=name, size=int(size), scale=step, offset=offset, units=units))
    return tuple(axes), tuple(dict.fromkeys(assumed))


def electron_facts(
    energy_kev: float | None = None,
    time_s: float | None = None,
    camera_length_mm: float | None = None,
    assumed: tuple[str, ...] = (),
    **others: str,
) -> Facts:
    """Facts of an electron microscope; what is zero or no number was not told."""

    def told(value: float | None) -> float | None:
        return value if value is not None and np.isfinite(value) and value > 0 else None

    energy = told(energy_kev)
    return Facts(
        radiation="electrons",
        wavelength_angstrom=None if energy is None else electron_wavelength_angstrom(energy),
        energy_kev=energy,
        time_s=told(time_s),
        camera_length_mm=told(camera_length_mm),
        sample=others.pop("sample", ""),
        instrument=others.pop("instrument", ""),
        recorded=others.pop("recorded", ""),
        others={name: text for name, text in others.items() if text},
        assumed=assumed,
    )


class Indexed(Protocol):
    """An array on disk, of which parts are read when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its type."""

    def __getitem__(self, place: Any) -> Any:
        """A part of it."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames that are parts of one array.

    Attributes:
        array: The array.
        frame: What each frame is.
        grid: Which two axes of the array are rows and columns.
        title: What the file calls it.
    """

    array: Indexed
    frame: Frame
    grid: tuple[int, int]

    @property
    def scan(self) -> tuple[int, ...]:
        """Sizes of the other axes."""
        shape = self.array.shape
        return tuple(int(size) for axis, size in enumerate(shape) if axis not in self.grid)

    def __len__(self) -> int:
        """Number of frames."""
        return int(np.prod(self.scan, dtype=np.int64))

    def read(self, number: int) -> np.ndarray[Any, Any]:
        """One frame, with its rows in front."""
        outer = iter(np.unravel_index(number, self.scan) if self.scan else ())
        place = tuple(
            slice(None) if axis in self.grid else int(next(outer))
            for axis in range(len(self.array.shape))
        )
        part = np.asarray(self.array[place])
        return part if self.grid[0] < self.grid[1] else part.T


class StackedFile(MeasuredFile):
    """A file whose frames are those of one or several arrays on disk; nan was not measured."""

    def __init__(self, stacks: Sequence[Stack]) -> None:
        """Take the stacks.

        Raises:
            ValueError: There are none, or too many frames.
        """
        super().__init__()
        self._stacks = tuple(stacks)
        self._starts = np.cumsum([0, *(len(stack) for stack in self._stacks)])
        count = int(self._starts[-1])
        if not count:
            raise ValueError("it holds no image")
        if count > _MOST_FRAMES:
            raise ValueError(f"it holds {count:,} images; up to {_MOST_FRAMES:,} are read")
        self.frames = tuple(stack.frame for stack in self._stacks for _ in range(len(stack)))
        if len(self._stacks) == 1:
            self.scan = self._stacks[0].scan

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        place = int(np.searchsorted(self._starts, number, side="right")) - 1
        stack = self._stacks[place]
        counts = stack.read(number - int(self._starts[place]))
        unknown = np.isnan(counts) if counts.dtype.kind == "f" else None
        return Recording(counts, None if unknown is None or not unknown.any() else ~unknown)


def on_disk(
    path: str, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    """An array that stays on disk.

    Raises:
        ValueError: The file ends before it does.
    """
    from pathlib import Path

    if min(shape, default=0) < 1:
        raise ValueError(f"its header says {'×'.join(map(str, shape))} pixels")
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    found = Path(path).stat().st_size - offset
    if offset < 0 or size > found:
        raise ValueError(f"its header says {size:,} bytes of pixels, but it has {max(found, 0):,}")
    return np.memmap(path, dtype, "r", offset=offset, shape=shape)
