"""Fits a few phases to a pattern: least squares over their peaks, linear parts solved within.

Scales, texture and background are linear, and none of them is negative: each step solves for them
exactly (variable projection, Golub & Pereyra 1973), so that only zero, cell, widths and thermal
motion are searched for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from crystalvision_simulate.powder._lines import Lines
from crystalvision_simulate.powder._measured import Measured
from crystalvision_simulate.powder._model import (
    Geometry,
    Shape,
    background_columns,
    phase_columns,
)
from crystalvision_simulate.powder._peaks import Widths

_SHIFTS_DEG = (-0.12, 0.0, 0.12)
_STRETCHES = (-0.009, -0.006, -0.003, 0.0, 0.003, 0.006, 0.009)
_START_WIDTH_DEG = 0.3
_WIDTH_DEG = 0.12
_EVALUATIONS = 12
_AT_END = 2e-3  # of its range: as near to an end as this, a value is at it
_STEP = 0.03  # of a usual change, for slopes: far above what single precision rounds


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a fit found.

    Attributes:
        shapes: Of each phase.
        scales: How much of each phase there is, by volume, (p,).
        phases: What each phase scatters, (p, t).
        background: (t,).
        misfit: Weighted squares that the fit leaves, over those that the best background alone
            leaves, both without those of the noise: 0 for all explained, 1 for nothing.
    """

    shapes: tuple[Shape, ...]
    scales: Float[np.ndarray, "p"]
    phases: Float[np.ndarray, "p t"]
    background: Float[np.ndarray, "t"]
    misfit: float

    @property
    def calculated(self) -> Float[np.ndarray, "t"]:
        """All of it, (t,)."""
        return np.asarray(self.phases.sum(axis=0) + self.background)


@dataclass(frozen=True)
class Fitter:
    """Fits phases to one pattern.

    Attributes:
        measured: The pattern.
        geometry: Of the diffractometer.
        second_share: Least and greatest intensity of the second wavelength.
        texture: Whether a phase may have texture.
    """

    measured: Measured
    geometry: Geometry
    second_share: tuple[float, float] = (0.0, 0.5)
    texture: bool = True

    @cached_property
    def background(self) -> Float[np.ndarray, "t n"]:
        """Columns of the background."""
        return background_columns(self.geometry.two_theta)

    @cached_property
    def without_phases(self) -> float:
        """Weighted squares that the best background alone leaves."""
        return float(np.square(self._solved(np.zeros((len(self.measured.counts), 0)))[1]).sum())

    def misfit(self, squares: float) -> float:
        """What weighted squares are of those that the best background leaves, without noise."""
        noise = min(self.measured.noise, 0.9 * self.without_phases)
        return max(squares - noise, 0.0) / max(self.without_phases - noise, 1e-300)

    def quick(self, lines: Lines, known: Float[np.ndarray, "t n"] | None = None) -> "Search":
        """The best of a grid of zeros and cells, with peaks that are wide.

        Args:
            lines: Of the phase.
            known: Columns of what is there already.
        """
        search = Search.start(self, (lines,))
        best = (np.inf, search)
        for stretch in _STRETCHES:
            for shift in _SHIFTS_DEG:
                tried = search.moved(0, shift, stretch)
                columns = tried.columns(texture=False)
                if known is not None:
                    columns = np.column_stack([columns, known])
                left = float(np.square(self._solved(columns)[1]).sum())
                if left < best[0]:
                    best = (left, tried)
        return best[1].with_misfit(self.misfit(best[0]))

    def placed(self, search: "Search") -> "Search":
        """The same, with zero, size of the cell and width fitted."""
        narrow = search.with_width(_WIDTH_DEG)
        return narrow.fitted(self, ("zero", "stretch", "gauss"), _EVALUATIONS)

    def refined(self, search: "Search") -> "Search":
        """The same, with all that is searched for fitted."""
        return search.fitted(self, None, _EVALUATIONS)

    def result(self, search: "Search") -> Fitted:
        """What is calculated from what was found."""
        parts = [
            phase_columns(lines, shape, self.geometry, texture=self.texture)
            for lines, shape in zip(search.lines, search.shapes, strict=True)
        ]
        factors, left = self._solved(np.column_stack(parts))
        phases, scales, start = [], [], 0
        for part in parts:
            own = factors[start : start + part.shape[1]]
            phases.append(part @ own)
            scales.append(float(own.sum()))
            start += part.shape[1]
        return Fitted(
            search.shapes,
            np.array(scales),
            np.array(phases),
            self.background @ factors[start:],
            self.misfit(float(np.square(left).sum())),
        )

    def left(self, known: Float[np.ndarray, "t n"] | None) -> Float[np.ndarray, "t"]:
        """Root of what known columns and the background leave above them, smoothed, (t,)."""
        from scipy.ndimage import uniform_filter1d

        columns = np.zeros((len(self.measured.counts), 0)) if known is None else known
        weighted = self.residuals(columns)
        seen = self.measured.weight > 0
        left = np.divide(weighted, self.measured.weight, out=np.zeros_like(weighted), where=seen)
        return np.asarray(np.sqrt(np.clip(uniform_filter1d(left, 5), 0, None)))

    def residuals(self, columns: Float[np.ndarray, "t n"]) -> Float[np.ndarray, "t"]:
        """Weighted differences that the best factors leave, (t,)."""
        return self._solved(columns)[1]

    def _solved(
        self, columns: Float[np.ndarray, "t n"]
    ) -> tuple[Float[np.ndarray, "m"], Float[np.ndarray, "t"]]:
        """Factors of columns and background, none negative, and what they leave."""
        from scipy.linalg import cholesky, solve_triangular
        from scipy.optimize import nnls

        weight = self.measured.weight
        wanted = weight * self.measured.counts
        matrix = np.column_stack([columns, self.background]) * weight[:, None]
        size = np.sqrt(np.square(matrix).sum(axis=0))
        size[size == 0] = 1.0  # what lies where nothing was seen stays nothing: no rounding grows
        matrix /= size
        gram = matrix.T @ matrix
        root = cholesky(gram + 1e-9 * np.eye(len(gram)))
        factors, _ = nnls(root, solve_triangular(root, matrix.T @ wanted, trans="T"))
        return factors / size, wanted - matrix @ factors


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
    """Where a search is: values of what is searched for, in units of their usual changes."""

    lines: tuple[Lines, ...]
    names: tuple[tuple[str, int], ...]
    values: Float[np.ndarray, "v"]
    geometry: Geometry
    texture: bool
    ends: tuple[float, float]
    misfit: float = 1.0

    @classmethod
    def start(cls, fitter: Fitter, lines: Sequence[Lines]) -> "Search":
        names: list[tuple[str, int]] = [("zero", -1), ("gauss", -1)]
        values = [0.0, np.log(_START_WIDTH_DEG)]
        low, high = fitter.second_share
        if len(fitter.geometry.wavelengths_angstrom) > 1:
            names.append(("second", -1))
            values.append((low + high) / 2)
        for number, one in enumerate(lines):
            names += [("stretch", number)]
            names += [("strain", number)] * (one.strain.shape[1] - 1)
            names += [("thermal", number), ("size", number), ("microstrain", number)]
            values += [0.0] * one.strain.shape[1] + [0.08, 0.01, 0.05]
        scaled = np.array(values) / [_SCALES[name][0] for name, _ in names]
        return cls(tuple(lines), tuple(names), scaled, fitter.geometry, fitter.texture, (low, high))

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
        return self._set({("zero", -1): zero, ("stretch", number): stretch})

    def with_width(self, width: float) -> "Search":
        return self._set({("gauss", -1): float(np.log(width))})

    def with_misfit(self, misfit: float) -> "Search":
        return self._at(self.values, misfit)

    @property
    def shapes(self) -> tuple[Shape, ...]:
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

    def columns(
        self, values: Float[np.ndarray, "v"] | None = None, *, texture: bool
    ) -> Float[np.ndarray, "t n"]:
        shapes = self._shapes(self.values if values is None else values)
        return np.column_stack(
            [
                phase_columns(lines, shape, self.geometry, texture=texture)
                for lines, shape in zip(self.lines, shapes, strict=True)
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

    def fitted(self, fitter: Fitter, only: Sequence[str] | None, evaluations: int) -> "Search":
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
            return fitter.residuals(drawn.columns(self._shapes(full(some))))

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
        return self._at(full(found.x), fitter.misfit(2 * float(found.cost)))


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
