"""Powder patterns of many phases, as a source: reflections once, nuisance for each sample."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Num

from crystalvision.config import Part
from crystalvision.contracts import Instrument, Pattern, origin_of
from crystalvision.datasets import SPECIMEN, DatasetHeader
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.samples import Refinement
from crystalvision.sources import Sample, Source
from crystalvision_simulate.numbers import (
    check_columns,
    draw,
    numbers_of_part,
    numbers_of_settings,
    stream_of,
)
from crystalvision_simulate.parts import DrawnPart, check_alike
from crystalvision_simulate.powder._candidates import Candidate, candidates_of
from crystalvision_simulate.powder._header import powder_header
from crystalvision_simulate.powder._mixtures import FRACTIONS, draw_mixture
from crystalvision_simulate.powder._nuisance import (
    CRYSTAL_COLUMNS,
    CrystalSettings,
    DrawnCrystal,
    Families,
    rings_of_sample,
)
from crystalvision_simulate.powder._recipe import PowderRecipe, labels_of
from crystalvision_simulate.powder._refine import Refiner, refiner_of
from crystalvision_simulate.powder._reflections import reflections
from crystalvision_simulate.powder._rings import ring_axis

_BAND_INV_ANGSTROM = 3.0
_FAINTEST = 1e-9
_KEPT = 100_000  # candidates whose reflections stay in memory


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What one sample draws."""

    columns: Mapping[str, float]
    instrument: Mapping[str, float]
    crystal: DrawnCrystal
    foreign_share: float


class PowderSource(Source):
    """Makes powder patterns, each from its index alone.

    Attributes:
        recipe: The recipe.
        candidates: The phases; sample i is of phase i modulo their number.
    """

    def __init__(
        self,
        recipe: PowderRecipe,
        catalogue: Catalogue,
        *,
        threads: int | None = None,
        phases: tuple[Candidate, ...] | None = None,
        kept: int = _KEPT,
    ) -> None:
        """Read the phases, and check every part of the recipe.

        Args:
            recipe: The recipe.
            catalogue: Where its parts are looked up.
            threads: Threads that make samples; by default one for each core.
            phases: Phases in place of those of the recipe.
            kept: Of how many the reflections stay in memory.

        Raises:
            InputError: The recipe is wrong, or a phase cannot be read.
        """
        self.recipe = recipe
        self.candidates = candidates_of(recipe.candidates, catalogue) if phases is None else phases
        self._threads = threads
        self._instrument = _instrument_of(recipe.instrument, catalogue)
        self._labels, self._classes = labels_of(recipe, self.candidates)
        self._numbers = (
            *numbers_of_settings("crystal", recipe.crystal, CRYSTAL_COLUMNS),
            *numbers_of_part("instrument", self._instrument),
        )
        self._kept = [one.column for one in self._numbers if any(one.quantity.ends)]
        check_columns(self._kept)
        self._band = self._band_limit()
        self._ring_axis = ring_axis(self._band)
        found = [one.axes((self._ring_axis,), self._band) for one in self._instrument.extremes]
        check_alike("instrument", self._instrument.quantities, found)
        self._two_theta = found[0]
        self._reflections = lru_cache(maxsize=kept)(self._reflections_of)

    def _band_limit(self) -> float:
        reach = [
            getattr(one, "reach_inv_angstrom", _BAND_INV_ANGSTROM)
            for one in self._instrument.extremes
        ]
        return float(max(reach))

    def _reflections_of(self, index: int) -> Families:
        one = self.candidates[index]
        # Cells may be larger than they should be, and their reflections then come in from outside.
        found = reflections(one.crystal, 1.06 * self._band, occupancies=one.occupancies)
        return Families.of(found)

    @cached_property
    def header(self) -> DatasetHeader:
        """See `crystalvision.sources.Source.header`."""
        return powder_header(
            self.recipe,
            self.candidates,
            self._classes,
            self._kept,
            self._instrument.extremes,
            self._two_theta,
        )

    @cached_property
    def _refiner(self) -> Refiner | None:
        if self.recipe.target != "phase":
            return None
        return refiner_of(self.candidates, self._instrument.extremes, self._band)

    def marks(self, candidate: str) -> Float[np.ndarray, "_"] | None:
        """See `crystalvision.sources.Source.marks`: 2θ of the reflections of a phase."""
        return None if self._refiner is None else self._refiner.marks(candidate)

    def refine(
        self,
        pattern: Float[np.ndarray, "c *grid"],
        seen: Bool[np.ndarray, "channels *grid"] | None,
        candidates: Sequence[str],
        *,
        most_parts: int = 1,
        advance: Callable[[int], object] = lambda _: None,
    ) -> list[Refinement] | None:
        """See `crystalvision.sources.Source.refine`: scale, zero, cell, width, background."""
        if self._refiner is None:
            return None
        return self._refiner.refine(pattern, seen, candidates, most_parts, advance)

    def samples(self, indices: Iterable[int]) -> Iterator[Sample]:
        """See `crystalvision.sources.Source.samples`."""
        if self._threads == 1:
            yield from map(self.sample, indices)
            return
        with ThreadPoolExecutor(self._threads, "crystalvision-powder") as executor:
            yield from executor.map(self.sample, indices)

    def sample(self, index: int) -> Sample:
        """One sample."""
        place = index % len(self.candidates)
        seeds = np.random.SeedSequence([self.recipe.seed, index])
        rng = np.random.default_rng(seeds.spawn(1)[0])
        drawn = self._draw(rng, seeds)
        columns: dict[str, Any] = {"label": self._labels[place]}
        rings = self._rings(place, drawn, rng)
        if self.recipe.mixture is not None:
            rings, columns[FRACTIONS] = self._mixed(place, rings, drawn, seeds)
        counts = self._counted(rings, drawn, rng)
        if self.recipe.target != "phase":
            columns[SPECIMEN] = place
        columns |= {one.name: drawn.columns[one.name] for one in self._kept}
        return Sample(counts, columns)

    def expected(self, place: int, seeds: np.random.SeedSequence | None) -> Num[np.ndarray, "1 t"]:
        """Counts of a phase, (1, t), with what these seeds draw; `None` for all at the middle."""
        if seeds is not None:
            rng = np.random.default_rng(seeds.spawn(1)[0])
            return self._record(place, self._draw(rng, seeds), rng)
        rng = np.random.default_rng(0)
        values = {one.column.name: one.quantity.middle for one in self._numbers}
        return self._record(place, self._drawn(values, rng), rng)

    def is_seen(self, place: int) -> bool:
        """Whether a phase has a reflection in the range of the instrument."""
        found = self._reflections(place)
        low, high = getattr(self._instrument.example, "sees_inv_angstrom", (0.0, self._band))
        inside = (found.length_inv_angstrom >= low) & (found.length_inv_angstrom <= high)
        phase = self.candidates[place]
        # Of all electrons of the cell in step: what is absent by symmetry is 10⁻³⁰ of that.
        whole = (phase.crystal.numbers @ phase.occupancies / phase.crystal.volume_angstrom3) ** 2
        return bool((found.intensity[inside] > _FAINTEST * whole).any())

    def _record(
        self, place: int, drawn: _Drawn, rng: np.random.Generator
    ) -> Num[np.ndarray, "1 t"]:
        """What the instrument counts of a phase."""
        return self._counted(self._rings(place, drawn, rng), drawn, rng)

    def _counted(
        self, rings: Float[np.ndarray, "n"], drawn: _Drawn, rng: np.random.Generator
    ) -> Num[np.ndarray, "1 t"]:
        instrument = self._instrument.of(drawn.instrument)
        pattern = Pattern(torch.from_numpy(rings)[None], (self._ring_axis,), self._band)
        counts: Num[np.ndarray, "1 t"] = instrument.measure(instrument.project(pattern), rng).counts
        return counts

    def _mixed(
        self,
        place: int,
        rings: Float[np.ndarray, "n"],
        drawn: _Drawn,
        seeds: np.random.SeedSequence,
    ) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "k"]]:
        """Rings of a powder that holds a phase and others, and the share by weight of each, (k,).

        Others have the same thermal motion and their own cell and texture.
        """
        assert self.recipe.mixture is not None  # noqa: S101 - asked before, for mypy
        rng = stream_of(seeds, "mixture")
        mixture = draw_mixture(self.recipe.mixture, place, len(self.candidates), rng)
        volumes = mixture.volumes(self._densities)
        total = volumes[0] * rings
        for number, volume in zip(mixture.phases[1:], volumes[1:], strict=True):
            own = {
                name: getattr(self.recipe.crystal, name).draw(rng)
                for name in ("cell_error", "march_dollase")
            }
            total = total + volume * self._rings_of(number, replace(drawn.crystal, **own), rng)
        fractions = np.zeros(len(self.candidates), dtype=np.float32)
        fractions[list(mixture.phases)] = mixture.weights
        return total, fractions

    @cached_property
    def _densities(self) -> Float[np.ndarray, "n"]:
        return np.array([one.density for one in self.candidates])

    def _draw(self, rng: np.random.Generator, seeds: np.random.SeedSequence) -> _Drawn:
        return self._drawn(draw(self._numbers, rng, seeds), rng)

    def _drawn(self, values: Mapping[str, float], rng: np.random.Generator) -> _Drawn:
        options = {
            one.option: values[one.column.name]
            for one in self._numbers
            if one.part == "instrument" and one.option in self._instrument.quantities
        }
        crystal = {
            name: getattr(self.recipe.crystal, name).inside for name in CrystalSettings.model_fields
        }
        crystal |= {
            one.option: values[one.column.name] for one in self._numbers if one.part == "crystal"
        }
        foreign = crystal.pop("foreign_share")
        return _Drawn(values, options, DrawnCrystal(**crystal), foreign)

    def _rings(self, place: int, drawn: _Drawn, rng: np.random.Generator) -> Float[np.ndarray, "n"]:
        """What the phase scatters into each |g|, and with it a foreign one, if there is one."""
        rings = self._rings_of(place, drawn.crystal, rng)
        if not drawn.foreign_share:
            return rings
        other = (place + 1 + int(rng.integers(len(self.candidates) - 1))) % len(self.candidates)
        foreign = self._rings_of(other, drawn.crystal, rng)
        strength = drawn.foreign_share * float(rings.sum()) / max(float(foreign.sum()), 1e-300)
        return np.asarray(rings + strength * foreign)

    def _rings_of(
        self, place: int, drawn: DrawnCrystal, rng: np.random.Generator
    ) -> Float[np.ndarray, "n"]:
        crystal, found = self.candidates[place].crystal, self._reflections(place)
        return rings_of_sample(crystal, found, drawn, self._ring_axis, rng)


def _instrument_of(part: Part, catalogue: Catalogue) -> DrawnPart[Instrument]:
    def create(options: Mapping[str, Any]) -> Instrument:
        made: Instrument = catalogue.create("instrument", part.name, options)
        return made

    drawn = DrawnPart(part, create, "instrument")
    example = drawn.example
    if "intensity" not in example.records:
        raise InputError(
            f"the {origin_of(example, 'instrument')} records {' or '.join(example.records)} of a "
            "beam; a powder has intensities: take powder-diffractometer"
        )
    return drawn
