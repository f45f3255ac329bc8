"""Curves over one axis: what all readers of powder patterns give, put in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Facts, Frame, MeasuredFile, Recording, Scale, measured_axis
from crystalvision.x_rays import K_ALPHA_ANGSTROM

_LARGEST_DEG = 180.0
_DESCENDING = "has its points in descending order: they are read the other way round"
_UNORDERED = "has its points in no order: they are put in that of {}"
_REPEATED = "has several values for {} points: their mean is taken"
_NOT_NUMBERS = "has {} points without a number, which are masked"
_NEGATIVE = "has {} negative values, which are read as they stand"
_EMPTY = "has the value 0 everywhere: it holds no counts"


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One range of a file.

    Attributes:
        positions: Where its points are [units], (n,), in any order.
        values: What was measured there, (n,); NaN for nothing.
        facts: How it was measured.
        title: What the file calls it.
        name: Name of the axis.
        units: Its units.
    """

    positions: Float[np.ndarray, "n"]
    values: Float[np.ndarray, "n"]
    facts: Facts = field(default_factory=Facts)
    title: str = ""
    name: str = "two_theta"
    units: str = "degree"


class CurveFile(MeasuredFile):
    """The ranges of a file, which are small enough to be in memory."""

    def __init__(self, curves: Sequence[Curve], notes: Sequence[str] = ()) -> None:
        """Put the points of each range in order.

        Args:
            curves: The ranges.
            notes: What whoever uses the file must know.

        Raises:
            ValueError: A range is no curve.
        """
        super().__init__()
        self.notes |= dict.fromkeys(notes)
        ordered = [self._ordered(curve) for curve in curves]
        self.frames = [frame for frame, _ in ordered]
        self._recordings = [recording for _, recording in ordered]

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        return self._recordings[number]

    def _ordered(self, curve: Curve) -> tuple[Frame, Recording]:
        positions = np.asarray(curve.positions, dtype=np.float64)
        values = np.asarray(curve.values, dtype=np.float64)
        _check(positions, values, curve)
        steps = np.diff(positions)
        if (steps <= 0).any():
            if (steps < 0).all():
                self.notes[_DESCENDING] = None
            elif (steps < 0).any():
                self.notes[_UNORDERED.format(curve.name)] = None
            positions, values = self._sorted(positions, values)
        seen = np.isfinite(values)
        if not seen.all():
            self.notes[_NOT_NUMBERS.format(f"{int((~seen).sum()):,}")] = None
        values = np.where(seen, values, 0.0)
        if (values < 0).any():
            self.notes[_NEGATIVE.format(f"{int((values < 0).sum()):,}")] = None
        if not values.any():
            self.notes[_EMPTY] = None
        frame = Frame(
            shape=values.shape,
            dtype="float64",
            dimensions=1,
            axes=(measured_axis(curve.name, positions, curve.units),),
            facts=curve.facts,
            title=curve.title,
        )
        return frame, Recording(values, None if seen.all() else seen)

    def _sorted(
        self, positions: Float[np.ndarray, "n"], values: Float[np.ndarray, "n"]
    ) -> tuple[Float[np.ndarray, "m"], Float[np.ndarray, "m"]]:
        """Points in ascending order; of those that are there several times, the mean."""
        distinct, place, count = np.unique(positions, return_inverse=True, return_counts=True)
        if len(distinct) < len(positions):
            self.notes[_REPEATED.format(f"{int((count > 1).sum()):,}")] = None
        if len(distinct) < 2:
            raise ValueError("all of its points are at one place")
        return distinct, np.bincount(place, values) / count


def _check(positions: Float[np.ndarray, "n"], values: Float[np.ndarray, "n"], curve: Curve) -> None:
    """Refuse what is no curve.

    Raises:
        ValueError: It is none.
    """
    of = f"range '{curve.title}'" if curve.title else "it"
    if positions.shape != values.shape or positions.ndim != 1 or len(positions) < 2:
        raise ValueError(f"{of} has {values.size} points; expected 2 or more")
    if not np.isfinite(positions).all():
        raise ValueError(f"{of} has positions that are no finite numbers")
    if np.isinf(values).any():
        raise ValueError(f"{of} has infinite values")
    low, high = float(positions.min()), float(positions.max())
    if curve.name == "two_theta" and not (low >= -_LARGEST_DEG and high <= _LARGEST_DEG):
        raise ValueError(f"{of} goes from {low:g} to {high:g}, which is no range of 2θ in degrees")


def beam_of(
    anode: str | None,
    first: float | None = None,
    second: float | None = None,
    ratio: float | None = None,
) -> dict[str, Any]:
    """What a file states of its X-rays, as fields of `Facts`.

    Args:
        anode: Its anode, whose lines are meant where no wavelength is stated.
        first: Wavelength, of Kα₁ if there are two [Å].
        second: Wavelength of Kα₂, where it is in the beam [Å].
        ratio: Intensity of Kα₂ over that of Kα₁.
    """
    found: dict[str, Any] = {"radiation": "x-rays"} if anode or _positive(first) else {}
    anode = (anode or "").strip().capitalize() or None
    if anode:
        found["anode"] = anode
    if not _positive(first) and anode is not None and anode in K_ALPHA_ANGSTROM:
        first, second = K_ALPHA_ANGSTROM[anode]
        found["assumed"] = (
            f"Kα₁ and Kα₂ of {anode}, {first:g} and {second:g} Å, whose anode it names",
        )
    if _positive(first):
        found["wavelength_angstrom"] = first
    if _positive(second) and (ratio is None or ratio > 0):
        found["alpha2_angstrom"] = second
        found["alpha2_ratio"] = ratio
    return found


def _positive(value: float | None) -> bool:
    return value is not None and np.isfinite(value) and value > 0


def scale_of(unit: str) -> Scale:
    """What values are that a file gives in a unit, `counts` or `cps`."""
    scales: dict[str, Scale] = {"counts": "counts", "cps": "counts per second"}
    return scales.get(unit.lower(), "unknown")


def number(text: str | None) -> float | None:
    """A finite number of a text, which may have a comma and units, or nothing."""
    words = (text or "").strip().strip("'\"").split()
    try:
        value = float(words[0].replace(",", ".")) if words else float("nan")
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def stated(others: Mapping[str, str | None]) -> dict[str, str]:
    """What else a file states, without what is empty."""
    return {name: text.strip() for name, text in others.items() if text and text.strip()}
