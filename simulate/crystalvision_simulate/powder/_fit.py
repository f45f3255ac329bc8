"""Fits a few phases to a pattern: least squares over their peaks, linear parts solved within.

Scales, texture and background are linear, and none of them is negative: each step solves for them
exactly (variable projection, Golub & Pereyra 1973), so that only zero, cell, widths and thermal
motion are searched for.
"""

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
from crystalvision_simulate.powder._search import Search

_SHIFTS_DEG = (-0.12, 0.0, 0.12)
_STRETCHES = (-0.009, -0.006, -0.003, 0.0, 0.003, 0.006, 0.009)
_WIDTH_DEG = 0.12
_EVALUATIONS = 12


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

    def quick(self, lines: Lines, known: Float[np.ndarray, "t n"] | None = None) -> Search:
        """The best of a grid of zeros and cells, with peaks that are wide.

        Args:
            lines: Of the phase.
            known: Columns of what is there already.
        """
        search = Search.start((lines,), self.geometry, self.second_share, texture=self.texture)
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

    def placed(self, search: Search) -> Search:
        """The same, with zero, size of the cell and width fitted."""
        narrow = search.with_width(_WIDTH_DEG)
        return self._fitted(narrow, ("zero", "stretch", "gauss"))

    def refined(self, search: Search) -> Search:
        """The same, with all that is searched for fitted."""
        return self._fitted(search, None)

    def _fitted(self, search: Search, only: tuple[str, ...] | None) -> Search:
        found, squares = search.fitted(self.residuals, only, _EVALUATIONS)
        return found.with_misfit(self.misfit(squares))

    def result(self, search: Search) -> Fitted:
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
