"""What a fit searches for: zero, widths, cells and thermal motion, within what each may be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crystalvision_simulate.powder._lines import Lines
from crystalvision_simulate.powder._model import Geometry, Shape, phase_columns
from crystalvision_simulate.powder._peaks import Widths

Residuals = Callable[[Float[np.ndarray, "t n"]], Float[np.ndarray, "t"]]

_START_WIDTH_DEG = 0.3
_AT_END = 2e-3  # of its range: as near to an end as this, a value is at it
_STEP = 0.03  # of a usual change, for slopes: far above what single precision rounds
_SCALES = {
    "zero": (0.05, -0.3, 0.3),
    "second": (0.2, 0.0, 0.55),
    "gauss": (0.3, np.log(0.02), np.log(0.8)),  # logarithm of the width [degree]
    "stretch": (0.002, -0.012, 0.012),
    "strain": (0.002, -0.008, 0.008),
    "thermal": (0.05, 0.0, 0.35),
    "size": (0.05, 0.0, 1.2),  # Lorentzian width that goes with 1 / cos θ [degree]
    "microstrain": (0.1, 0.0, 3.0),  # the same with tan θ [degree]
}
"""Of each thing that is searched for: a usual change, least and greatest value."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Where a search is: values of what is searched for, in units of their usual changes.

    Attributes:
        lines: Of each phase.
        names: What each value is, and of which phase; −1 for what all phases share.
        values: The values, (v,).
        geometry: Of the diffractometer.
        texture: Whether a phase may have texture.
        ends: Least and greatest intensity of the second wavelength.
        misfit: As of `Fitted`; 1 where nobody has asked.
    """

    lines: tuple[Lines, ...]
    names: tuple[tuple[str, int], ...]
    values: Float[np.ndarray, "v"]
    geometry: Geometry
    texture: bool
    ends: tuple[float, float]
    misfit: float = 1.0

    @classmethod
    def start(
        cls,
        lines: Sequence[Lines],
        geometry: Geometry,
        second: tuple[float, float],
        *,
        texture: bool,
    ) -> "Search":
        """Where every search begins, with peaks that are wide.

        Args:
            lines: Of each phase.
            geometry: Of the diffractometer.
            second: Least and greatest intensity of the second wavelength.
            texture: Whether a phase may have texture.
        """
        names: list[tuple[str, int]] = [("zero", -1), ("gauss", -1)]
        values = [0.0, np.log(_START_WIDTH_DEG)]
        if len(geometry.wavelengths_angstrom) > 1:
            names.append(("second", -1))
            values.append(sum(second) / 2)
        for number, one in enumerate(lines):
            names += [("stretch", number)]
            names += [("strain", number)] * (one.strain.shape[1] - 1)
            names += [("thermal", number), ("size", number), ("microstrain", number)]
            values += [0.0] * one.strain.shape[1] + [0.08, 0.01, 0.05]
        scaled = np.array(values) / [_SCALES[name][0] for name, _ in names]
        return cls(tuple(lines), tuple(names), scaled, geometry, texture, second)

    def _set(self, changes: dict[tuple[str, int], float]) -> "Search":
        values = self.values.copy()
        for place, name in enumerate(self.names):
            if name in changes and name[0] != "strain":
                values[place] = changes[name] / _SCALES[name[0]][0]
        return self._at(values)

    def _at(self, values: Float[np.ndarray, "v"], misfit: float = 1.0) -> "Search":
        return Search(
            self.lines, self.names, values, self.geometry, self.texture, self.ends, misfit
        )

    def joined(self, other: "Search") -> "Search":
        """The same with the phases of another search, as it found them."""
        count = len(self.lines)
        more = [
            ((name, number + count), value)
            for (name, number), value in zip(other.names, other.values.tolist(), strict=True)
            if number >= 0
        ]
        return Search(
            (*self.lines, *other.lines),
            (*self.names, *(name for name, _ in more)),
            np.array([*self.values.tolist(), *(value for _, value in more)]),
            self.geometry,
            self.texture,
            self.ends,
        )

    def moved(self, number: int, zero: float, stretch: float) -> "Search":
        """The same with another zero [degree] and a phase whose cell is larger by a share."""
        return self._set({("zero", -1): zero, ("stretch", number): stretch})

    def with_width(self, width: float) -> "Search":
        """The same with peaks of another width [degree]."""
        return self._set({("gauss", -1): float(np.log(width))})

    def with_misfit(self, misfit: float) -> "Search":
        """The same, with what it leaves."""
        return self._at(self.values, misfit)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Of the peaks of each phase."""
        return self._shapes(self.values)

    def _shapes(self, values: Float[np.ndarray, "v"]) -> tuple[Shape, ...]:
        real = values * [_SCALES[name][0] for name, _ in self.names]
        found: dict[tuple[str, int], list[float]] = {}
        for name, value in zip(self.names, real.tolist(), strict=True):
            found.setdefault(name, []).append(value)
        return tuple(
            Shape(
                zero_shift_deg=found["zero", -1][0],
                second_share=found.get(("second", -1), [0.0])[0],
                strain=np.array(found["stretch", number] + found.get(("strain", number), [])),
                thermal_rms_angstrom=found["thermal", number][0],
                widths=Widths(
                    w_deg2=float(np.exp(2 * found["gauss", -1][0])),
                    x_deg=found["size", number][0],
                    y_deg=found["microstrain", number][0],
                ),
            )
            for number in range(len(self.lines))
        )

    def columns(self, *, texture: bool) -> Float[np.ndarray, "t n"]:
        """What all phases scatter into each step, (t, n)."""
        return np.column_stack(
            [
                phase_columns(lines, shape, self.geometry, texture=texture)
                for lines, shape in zip(self.lines, self.shapes, strict=True)
            ]
        )

    def _limits(self) -> tuple[Float[np.ndarray, "v"], Float[np.ndarray, "v"]]:
        """Least and greatest of each value."""
        limits = dict(_SCALES, second=(_SCALES["second"][0], *self.ends))
        lower, upper = (
            np.array([limits[name][end] / limits[name][0] for name, _ in self.names])
            for end in (1, 2)
        )
        return lower, np.maximum(upper, lower + 1e-6)

    def at_ends(self) -> dict[int, set[str]]:
        """What is at an end of what it may be, by phase; −1 for what all phases share.

        Where the ends are one, as the share of Kα₂ of a known instrument, there is none to be at.
        """
        lower, upper = self._limits()
        found: dict[int, set[str]] = {}
        for place in np.flatnonzero(upper > lower + 2e-6):
            margin = _AT_END * (upper - lower)[place]
            if not lower[place] + margin < self.values[place] < upper[place] - margin:
                name, number = self.names[place]
                found.setdefault(number, set()).add(name)
        return found

    def fitted(
        self, residuals: Residuals, only: Sequence[str] | None, evaluations: int
    ) -> tuple["Search", float]:
        """The same where the squares of what is left are least, and their sum.

        Args:
            residuals: Weighted differences that the best factors of columns leave.
            only: What is searched for; by default everything.
            evaluations: How often slopes are taken, at most.
        """
        from scipy.optimize import least_squares

        free = [place for place, (name, _) in enumerate(self.names) if only is None or name in only]
        lower, upper = (end[free] for end in self._limits())
        first = self.values.copy()

        def full(some: Float[np.ndarray, "f"]) -> Float[np.ndarray, "v"]:
            values = first.copy()
            values[free] = some
            return values

        drawn = _Drawn(self, texture=self.texture and only is None)

        def left(some: Float[np.ndarray, "f"]) -> Float[np.ndarray, "t"]:
            return residuals(drawn.columns(self._shapes(full(some))))

        def slopes(some: Float[np.ndarray, "f"]) -> Float[np.ndarray, "t f"]:
            here = left(some)
            steps = np.where(some + _STEP > upper, -_STEP, _STEP)
            moved = [left(some + step) - here for step in np.diag(steps)]
            return np.stack(moved, axis=1) / steps

        margin = 1e-3 * (upper - lower)
        inside = np.clip(first[free], lower + margin, upper - margin)
        found = least_squares(
            left,
            inside,
            slopes,
            bounds=(lower, upper),
            max_nfev=evaluations,
            ftol=1e-4,
            xtol=1e-4,
        )
        return self._at(full(found.x)), 2 * float(found.cost)


class _Drawn:
    """Columns of phases, drawn again only where the shape of a phase is another."""

    def __init__(self, search: Search, *, texture: bool) -> None:
        self._search, self._texture = search, texture
        self._known: list[dict[tuple[float, ...], Float[np.ndarray, "t n"]]] = [
            {} for _ in search.lines
        ]

    def columns(self, shapes: Sequence[Shape]) -> Float[np.ndarray, "t n"]:
        return np.column_stack([self._of(number, shape) for number, shape in enumerate(shapes)])

    def _of(self, number: int, shape: Shape) -> Float[np.ndarray, "t n"]:
        known, key = self._known[number], shape.key
        if key not in known:
            if len(known) >= 2:  # where the search is, and one step from there
                del known[next(iter(known))]
            known[key] = phase_columns(
                self._search.lines[number], shape, self._search.geometry, texture=self._texture
            )
        return known[key]
