"""Refines candidates against a measured pattern: one by one, or a few together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.errors import InputError
from crystalvision.samples import Refinement
from crystalvision_simulate.instruments.powder_diffractometer import PowderDiffractometer
from crystalvision_simulate.powder._fit import Fitter
from crystalvision_simulate.powder._lines import Lines, lines_of
from crystalvision_simulate.powder._measured import Measured
from crystalvision_simulate.powder._model import Geometry, Shape, phase_columns
from crystalvision_simulate.powder._peaks import Widths
from crystalvision_simulate.powder._phase import Candidate
from crystalvision_simulate.powder._refinement import marks_of, refinement_of, weights_of
from crystalvision_simulate.powder._search import Search

_WORTH = 0.85  # a further phase must leave less than this share of what was left
_LEAST_WEIGHT = 0.005
_GLANCED = 16  # candidates for a further phase that are looked at closely
_BROAD_DEG = 0.35
_TRIED_TOGETHER = 3  # candidates for a further phase that are fitted in full
_IN_FULL = 4  # candidates that are best with zero, cell and width alone are fitted in full
_STRETCHED, _USUAL_STRETCH = 0.02, 0.004
Advance = Callable[[int], object]


def refiner_of(
    candidates: Sequence[Candidate], instruments: Sequence[object], band_limit_inv_angstrom: float
) -> "Refiner | None":
    """What refines phases as an instrument records them.

    Args:
        candidates: The phases.
        instruments: The instrument with what it is made with at its ends.
        band_limit_inv_angstrom: As for `Refiner`.

    Returns:
        `None` for an instrument that is no powder diffractometer.
    """
    if not all(isinstance(one, PowderDiffractometer) for one in instruments):
        return None
    known = [one for one in instruments if isinstance(one, PowderDiffractometer)]
    most = max(known, key=lambda one: len(one.lines))
    geometry = Geometry(
        most.two_theta, tuple(length for length, _ in most.lines), most.monochromator_deg
    )
    shares = [one.k_alpha_2_share for one in known]
    return Refiner(candidates, geometry, (min(shares), max(shares)), band_limit_inv_angstrom)


@dataclass
class Refiner:
    """Refines the phases of a library.

    Attributes:
        candidates: The phases.
        geometry: Of the diffractometer.
        second_share: Least and greatest intensity of Kα₂.
        band_limit_inv_angstrom: Greatest |g| of their reflections [1/Å].
    """

    candidates: Sequence[Candidate]
    geometry: Geometry
    second_share: tuple[float, float]
    band_limit_inv_angstrom: float
    _lines: dict[int, Lines] = field(default_factory=dict, repr=False)
    _patterns: dict[int, Float[np.ndarray, "t"]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Find the phases by name."""
        self._numbers = {one.name: number for number, one in enumerate(self.candidates)}

    def refine(
        self,
        pattern: Float[np.ndarray, "1 t"],
        seen: Bool[np.ndarray, "1 t"] | None,
        names: Sequence[str],
        most_parts: int,
        advance: Advance,
    ) -> list[Refinement]:
        """See `crystalvision.sources.Source.refine`.

        Raises:
            InputError: A name that is none, or a pattern without counts.
        """
        fitter = self.fitter(pattern[0], None if seen is None else seen[0])
        if most_parts == 1:
            return self.alone(fitter, names, advance)
        found = self.together(fitter, names, most_parts, advance)
        return [] if found is None else [found]

    def alone(
        self, fitter: Fitter, names: Sequence[str], advance: Advance = lambda _: None
    ) -> list[Refinement]:
        """Each candidate by itself, what explains most first.

        Raises:
            InputError: A name that is none.
        """
        placed = []
        for number in [self.number_of(name) for name in names]:
            lines = self.lines(number)
            if len(lines):
                placed.append((fitter.placed(fitter.quick(lines)), number))
            advance(1)
        placed.sort(key=lambda one: one[0].misfit)
        fitted = [
            (fitter.refined(search) if place < _IN_FULL else search, number)
            for place, (search, number) in enumerate(placed)
        ]
        found = [
            (_unlikely(search), refinement_of((self.candidates[number],), fitter, search))
            for search, number in fitted
        ]
        found.sort(key=lambda one: (one[1].misfit + one[0], one[1].residual))
        return [refinement for _, refinement in found]

    def together(
        self,
        fitter: Fitter,
        names: Sequence[str],
        most_parts: int,
        advance: Advance = lambda _: None,
    ) -> Refinement | None:
        """Phase after phase, each the one that explains most of what the others leave.

        Args:
            fitter: Of the pattern.
            names: Candidates.
            most_parts: Phases at most.
            advance: Told how many candidates were tried.

        Returns:
            `None` where no candidate has a line in the range.

        Raises:
            InputError: A name that is none.
        """
        numbers = [self.number_of(name) for name in names]
        numbers = [number for number in numbers if len(self.lines(number))]
        chosen: tuple[int, ...] = ()
        best: Search | None = None
        for _ in range(most_parts):
            further = self._further(fitter, chosen, best, numbers, advance)
            if further is None:
                break
            chosen, best = further
        return None if best is None else refinement_of(self._phases(chosen), fitter, best)

    def _further(
        self,
        fitter: Fitter,
        chosen: tuple[int, ...],
        best: Search | None,
        numbers: Sequence[int],
        advance: Advance,
    ) -> tuple[tuple[int, ...], Search] | None:
        """One phase more than those that are chosen, if that is worth it."""
        known = None if best is None else best.columns(texture=fitter.texture)
        left = fitter.left(known)
        quick = [
            (fitter.quick(self.lines(number), known), number)
            for number in self._glanced(fitter, left, [n for n in numbers if n not in chosen])
        ]
        advance(len(numbers))
        quick.sort(key=lambda one: one[0].misfit)
        placed = [
            (fitter.placed(search if best is None else best.joined(search)), number)
            for search, number in quick[:_TRIED_TOGETHER]
        ]
        if not placed:
            return None
        search, number = min(placed, key=lambda one: one[0].misfit)
        found = ((*chosen, number), fitter.refined(search))
        if best is None:
            return found
        worth = found[1].misfit < _WORTH * best.misfit
        fitted = fitter.result(found[1])
        weights = weights_of(self._phases(found[0]), fitted.scales)
        return found if worth and weights.min() > _LEAST_WEIGHT else None

    def marks(self, name: str) -> Float[np.ndarray, "m"]:
        """2θ of the reflections of a phase that can be seen [degree].

        Raises:
            InputError: No such phase.
        """
        number = self.number_of(name)
        lines = self.lines(number)
        middle = Shape(0.0, 0.0, np.zeros(lines.strain.shape[1]), 0.0, Widths())
        return marks_of(lines, middle, self.geometry)

    def _glanced(
        self, fitter: Fitter, left: Float[np.ndarray, "t"], numbers: Sequence[int]
    ) -> list[int]:
        """Of many candidates the few whose broad peaks lie where something is left."""
        if len(numbers) <= _GLANCED or not left.any():
            return list(numbers)
        weight = np.sqrt(fitter.measured.weight)
        broad = np.stack([self._broad(number) for number in numbers]) * weight
        scores = broad @ (left * weight) / np.linalg.norm(broad, axis=1).clip(min=1e-30)
        return [numbers[place] for place in np.argsort(-scores, kind="stable")[:_GLANCED]]

    def _broad(self, number: int) -> Float[np.ndarray, "t"]:
        """A phase's pattern with peaks so wide that zero and cell hardly matter; kept."""
        if number not in self._patterns:
            lines = self.lines(number)
            shape = Shape(
                0.0, 0.5, np.zeros(lines.strain.shape[1]), 0.08, Widths(w_deg2=_BROAD_DEG**2)
            )
            columns = phase_columns(lines, shape, self.geometry, texture=False)
            self._patterns[number] = np.sqrt(columns[:, 0]).astype(np.float32)
        return self._patterns[number]

    def _phases(self, numbers: Sequence[int]) -> list[Candidate]:
        return [self.candidates[number] for number in numbers]

    def number_of(self, name: str) -> int:
        """Place of a phase among the candidates.

        Raises:
            InputError: No such phase.
        """
        if name not in self._numbers:
            raise InputError(f"'{name}' is none of the {len(self.candidates)} phases of the recipe")
        return self._numbers[name]

    def lines(self, number: int) -> Lines:
        """Lines of a phase; kept."""
        if number not in self._lines:
            one = self.candidates[number]
            band = self.band_limit_inv_angstrom
            self._lines[number] = lines_of(one.crystal, one.occupancies, band)
        return self._lines[number]

    def fitter(self, counts: Float[np.ndarray, "t"], seen: Bool[np.ndarray, "t"] | None) -> Fitter:
        """What fits phases to a pattern.

        Raises:
            InputError: A pattern without counts.
        """
        visible = counts if seen is None else counts[seen]
        if not len(visible) or not np.isfinite(visible).all() or float(visible.max()) <= 0:
            raise InputError("the pattern has no counts that could be fitted")
        return Fitter(Measured.of(counts, seen), self.geometry, self.second_share)


def _unlikely(search: Search) -> float:
    """What is added to a misfit, to rank by, because the cell must be another than it should be.

    Isotypic phases explain a pattern equally well once their cells may change: then that one is
    likelier whose cell needs to change less.
    """
    tensor = np.tensordot(search.shapes[0].strain, search.lines[0].tensors, axes=1)
    return float(_STRETCHED * np.square(tensor / _USUAL_STRETCH).sum() / 3)
