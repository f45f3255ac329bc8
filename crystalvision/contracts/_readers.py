"""From measured files to patterns: what a reader gives, before anything is made of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float

from crystalvision.config import Config
from crystalvision.contracts._axes import Axis
from crystalvision.contracts._recording import Recording
from crystalvision.text import axis_symbol, unit_text

_EVEN = 0.05  # of a step: what writing positions in few digits may move a point


class UnevenAxis(Config):
    """Calibration of one dimension of a grid whose points do not lie evenly.

    Attributes:
        name: Such as `two_theta`.
        positions: Of every point, ascending [units], (size,).
        units: Such as `degree`.
    """

    name: str
    positions: tuple[float, ...]
    units: str

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.positions)

    @property
    def label(self) -> str:
        """What stands at it in a figure; see `Axis.label`."""
        unit = unit_text(self.units)
        return f"{axis_symbol(self.name)} [{unit}]" if unit else axis_symbol(self.name)

    def values(self) -> Float[np.ndarray, "size"]:
        """Position of every point [units], (size,)."""
        return np.asarray(self.positions, dtype=np.float64)


MeasuredAxis = Axis | UnevenAxis


def measured_axis(name: str, positions: Float[np.ndarray, "size"], units: str) -> MeasuredAxis:
    """The axis of points: an even one, if all lie within a twentieth of a step of it.

    Args:
        name: Such as `two_theta`.
        positions: Of every point, ascending, no two alike [units], (size,); two or more.
        units: Such as `degree`.
    """
    size = len(positions)
    scale = float(positions[-1] - positions[0]) / (size - 1)
    even = positions[0] + scale * np.arange(size)
    if float(np.abs(positions - even).max()) <= _EVEN * scale:
        return Axis(name=name, size=size, scale=scale, offset=float(positions[0]), units=units)
    return UnevenAxis(name=name, positions=tuple(map(float, positions)), units=units)


Scale = Literal["counts", "counts per second", "unknown"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file states of how a pattern was measured; `None` for what it does not.

    Attributes:
        scale: What its numbers are: counts, counts per second, or what the file does not tell.
        radiation: `x-rays`, `electrons` or `neutrons`.
        anode: Chemical symbol of the anode of an X-ray tube.
        wavelength_angstrom: Wavelength; of the line Kα₁ where there are two [Å].
        alpha2_angstrom: Wavelength of the line Kα₂, where it is in the beam [Å].
        alpha2_ratio: Intensity of Kα₂ over that of Kα₁.
        energy_kev: Energy of the beam [keV].
        time_s: Counting time of a point, or exposure of a frame [s].
        camera_length_mm: Camera length [mm].
        sample: What the file calls the sample.
        instrument: What the file calls the instrument.
        recorded: When it was recorded, as the file writes it.
        others: What else the file states, name → text.
        assumed: What the file does not state and the reader took to be so, a phrase each.
    """

    scale: Scale = "unknown"
    radiation: str | None = None
    anode: str | None = None
    wavelength_angstrom: float | None = None
    alpha2_angstrom: float | None = None
    alpha2_ratio: float | None = None
    energy_kev: float | None = None
    time_s: float | None = None
    camera_length_mm: float | None = None
    sample: str = ""
    instrument: str = ""
    recorded: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What a file says of one of its patterns, before the numbers are read.

    Attributes:
        shape: (*grid), or (c, *grid) where it has several channels.
        dtype: numpy's name of the type of its numbers.
        reduced: Whether the file calls it a smaller copy of another.
        dimensions: Number of dimensions of the grid.
        axes: One for each dimension of the grid; `None` where the file does not tell.
        facts: How it was measured.
        title: What the file calls it, such as the name of a range.
    """

    shape: tuple[int, ...]
    dtype: str
    reduced: bool = False
    dimensions: int = 2
    axes: tuple[MeasuredAxis, ...] | None = None
    facts: Facts = field(default_factory=Facts)
    title: str = ""

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.shape[0] if len(self.shape) > self.dimensions else 1

    @property
    def grid(self) -> tuple[int, ...]:
        """Shape of the grid."""
        return self.shape[len(self.shape) - self.dimensions :]

    def __str__(self) -> str:
        return f"{'×'.join(map(str, self.shape))} {self.dtype}"


class MeasuredFile(ABC):
    """An open file, of which no more than what its frames say need have been read.

    Attributes:
        frames: Its patterns, in their order there; a sequence that makes them when asked will do.
        scan: The grid along which frames lie, in C order, as in a scan of an electron beam; empty
            for a plain list.
        is_array: Whether it only holds an array, of which nothing tells whether the first axis
            counts patterns or channels.
        notes: What whoever uses it must know of how it was understood; reading may add some.
    """

    frames: Sequence[Frame]
    scan: tuple[int, ...] = ()
    is_array: bool = False

    def __init__(self) -> None:
        self.notes: dict[str, None] = {}

    @abstractmethod
    def read(self, number: int) -> Recording:
        """The numbers of a frame as the file has them, of its `shape` and `dtype`.

        Negative ones are values. What was not measured is masked, whatever number stands there.
        The toolkit has checked that the frame's size is one that it reads, and checks what comes.

        Raises:
            InputError: What is wrong there, with the file's name.
            ValueError: The same, in words that follow "PATH is not a KIND file: ". Any other
                exception is told in this way, too.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of the file."""


class Reader(ABC):
    """Reads one format of files.

    Attributes:
        format: What to call it, such as `XRDML`.
        suffixes: Of its files' names, in lower case, such as `.xrdml`.
        signatures: What its files begin with; empty if nothing tells.
    """

    format: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    signatures: ClassVar[tuple[bytes, ...]] = ()

    def recognises(self, start: bytes) -> bool:
        """Whether a file may be one of its own, by its first bytes (4096, or all there are).

        By default, whether it begins with one of `signatures`, if there are any. It is asked for
        files of its suffixes; for others, too, if it has signatures.
        """
        return not self.signatures or start.startswith(self.signatures)

    @abstractmethod
    def open(self, path: Path) -> MeasuredFile:
        """Open a file.

        No header may make it take memory that the file's own size does not warrant.

        Raises:
            InputError: What is wrong there, with the file's name.
            ValueError: The same, in words that follow "PATH is not a KIND file: ". Any other
                exception is told in this way, too.
        """
