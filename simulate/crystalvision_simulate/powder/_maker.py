"""Makes powder patterns: of what phase, with what is drawn for it, as its instrument records it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import torch
from jaxtyping import Float, Num

from crystalvision.contracts import Axis, Instrument, Measure, Pattern
from crystalvision_simulate.instruments.powder_diffractometer import PowderDiffractometer
from crystalvision_simulate.numbers import (
    check_columns,
    draw,
    numbers_of_part,
    numbers_of_settings,
    stream_of,
)
from crystalvision_simulate.parts import DrawnPart, check_alike
from crystalvision_simulate.powder._mixtures import Mixture, MixtureSettings, draw_mixture
from crystalvision_simulate.powder._nuisance import (
    CRYSTAL_COLUMNS,
    IDEAL_CRYSTAL,
    CrystalSettings,
    DrawnCrystal,
    Families,
    rings_of_sample,
)
from crystalvision_simulate.powder._phase import Candidate
from crystalvision_simulate.powder._recipe import PowderRecipe
from crystalvision_simulate.powder._reflections import reflections
from crystalvision_simulate.powder._rings import ring_axis

_BAND_INV_ANGSTROM = 3.0
_FAINTEST = 1e-9


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What one sample draws."""

    columns: Mapping[str, float]
    instrument: Mapping[str, float]
    crystal: DrawnCrystal
    foreign_share: float


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A sample of which all numbers are drawn, and nothing is computed."""

    place: int
    seeds: np.random.SeedSequence
    rng: np.random.Generator
    drawn: _Drawn


@dataclass(frozen=True, slots=True, eq=False)
class PowderSample:
    """One powder, and its pattern.

    Attributes:
        mixture: Its phases, the first of which it is a sample of.
        columns: What was drawn for it, by column.
        instrument: What records it.
        pattern: What it scatters into each |g|, (1, n).
        counts: What is recorded, (1, t).
    """

    mixture: Mixture
    columns: Mapping[str, float]
    instrument: Instrument
    pattern: Pattern
    counts: Num[np.ndarray, "1 t"]


class PowderMaker:
    """Makes powder patterns, each from its index alone.

    Attributes:
        candidates: The phases; sample i is of phase i modulo their number.
        instrument: What records them.
        kept: What is drawn and may differ from zero: the columns of a dataset.
        band: The greatest |g| that is computed [1/Å].
        two_theta: The axes of a pattern.
        families: The reflections of a phase, by its place.
    """

    def __init__(
        self,
        recipe: PowderRecipe,
        candidates: tuple[Candidate, ...],
        instrument: DrawnPart[Instrument],
        kept: int,
    ) -> None:
        """Check what is drawn.

        Args:
            recipe: What is drawn.
            candidates: The phases.
            instrument: What records them.
            kept: Of how many phases the reflections stay in memory.

        Raises:
            InputError: Two parts would fill one column, or the axes differ from sample to sample.
        """
        self._recipe = recipe
        self.candidates, self.instrument = candidates, instrument
        self._numbers = (
            *numbers_of_settings("crystal", recipe.crystal, CRYSTAL_COLUMNS),
            *numbers_of_part("instrument", instrument),
        )
        self.kept: list[Measure] = [one.column for one in self._numbers if any(one.quantity.ends)]
        check_columns(self.kept)
        self.band = float(
            max(
                getattr(one, "reach_inv_angstrom", _BAND_INV_ANGSTROM)
                for one in instrument.extremes
            )
        )
        self._ring_axis = ring_axis(self.band)
        self.two_theta = self._axes()
        self.families: Callable[[int], Families] = lru_cache(maxsize=kept)(self._families_of)

    def _axes(self) -> tuple[Axis, ...]:
        found = [one.axes((self._ring_axis,), self.band) for one in self.instrument.extremes]
        check_alike("instrument", self.instrument.quantities, found)
        return found[0]

    def _families_of(self, index: int) -> Families:
        one = self.candidates[index]
        # Cells may be larger than they should be, and their reflections then come in from outside.
        found = reflections(one.crystal, 1.06 * self.band, occupancies=one.occupancies)
        return Families.of(one.crystal, found)

    def make(self, index: int) -> PowderSample:
        """A sample."""
        return self.make_all([index])[0]

    def make_all(self, indices: Sequence[int]) -> list[PowderSample]:
        """Some samples, each as `make` makes it; a fifth faster.

        One step is done for all of them before the next: its code and tables stay in the caches.
        """
        begun = [self._begun(index) for index in indices]
        instruments = [self.instrument.of(one.drawn.instrument) for one in begun]
        scattered = [self._scattered(one) for one in begun]
        patterns = [self._pattern(rings) for rings, _ in scattered]
        projected = [
            instrument.project(pattern)
            for instrument, pattern in zip(instruments, patterns, strict=True)
        ]
        counts = [
            instrument.measure(each, one.rng).counts
            for instrument, each, one in zip(instruments, projected, begun, strict=True)
        ]
        mixtures = [mixture for _, mixture in scattered]
        columns = [one.drawn.columns for one in begun]
        return list(map(PowderSample, mixtures, columns, instruments, patterns, counts))

    def _begun(self, index: int) -> _Begun:
        seeds = np.random.SeedSequence([self._recipe.seed, index])
        rng = np.random.default_rng(seeds.spawn(1)[0])
        return _Begun(index % len(self.candidates), seeds, rng, self._draw(rng, seeds))

    def _scattered(self, one: _Begun) -> tuple[Float[np.ndarray, "n"], Mixture]:
        """Rings of a sample, and of which phases it is."""
        rings = self._rings(one.place, one.drawn, one.rng)
        if self._recipe.mixture is None:
            return rings, Mixture((one.place,), np.ones(1))
        return self._mixed(self._recipe.mixture, one.place, rings, one.drawn, one.seeds)

    def ideal(self, sample: PowderSample) -> Float[np.ndarray, "1 t"]:
        """The pattern of a sample without what wears it, and without noise, in any unit, (1, t).

        Its phases are as their unit cells say, still, in large grains that lie in all directions;
        they lie where they should, and the zero is right.
        """
        volumes = sample.mixture.volumes(self._densities)
        rings = sum(
            volume * self._rings_of(place, IDEAL_CRYSTAL, np.random.default_rng(0))
            for place, volume in zip(sample.mixture.phases, volumes, strict=True)
        )
        instrument = sample.instrument
        if isinstance(instrument, PowderDiffractometer):
            instrument = instrument.of_ideal_specimens()
        projected = instrument.project(self._pattern(np.asarray(rings)))
        return np.asarray(projected.intensity.numpy())

    def expected(self, place: int, seeds: np.random.SeedSequence | None) -> Num[np.ndarray, "1 t"]:
        """Counts of a phase, (1, t), with what these seeds draw; `None` for all at the middle."""
        rng = np.random.default_rng(0 if seeds is None else seeds.spawn(1)[0])
        if seeds is None:
            values = {one.column.name: one.quantity.middle for one in self._numbers}
            drawn = self._drawn(values)
        else:
            drawn = self._draw(rng, seeds)
        pattern = self._pattern(self._rings(place, drawn, rng))
        instrument = self.instrument.of(drawn.instrument)
        counts: Num[np.ndarray, "1 t"]
        counts = instrument.measure(instrument.project(pattern), rng).counts
        return counts

    def is_seen(self, place: int) -> bool:
        """Whether a phase has a reflection in the range of the instrument."""
        found = self.families(place)
        low, high = getattr(self.instrument.example, "sees_inv_angstrom", (0.0, self.band))
        inside = (found.length_inv_angstrom >= low) & (found.length_inv_angstrom <= high)
        phase = self.candidates[place]
        # Of all electrons of the cell in step: what is absent by symmetry is 10⁻³⁰ of that.
        whole = (phase.crystal.numbers @ phase.occupancies / phase.crystal.volume_angstrom3) ** 2
        return bool((found.intensity[inside] > _FAINTEST * whole).any())

    def _pattern(self, rings: Float[np.ndarray, "n"]) -> Pattern:
        return Pattern(torch.from_numpy(rings)[None], (self._ring_axis,), self.band)

    def _mixed(
        self,
        settings: MixtureSettings,
        place: int,
        rings: Float[np.ndarray, "n"],
        drawn: _Drawn,
        seeds: np.random.SeedSequence,
    ) -> tuple[Float[np.ndarray, "n"], Mixture]:
        """Rings of a powder that holds a phase and others, and which.

        Others have the same thermal motion and their own cell and texture.
        """
        rng = stream_of(seeds, "mixture")
        mixture = draw_mixture(settings, place, len(self.candidates), rng)
        volumes = mixture.volumes(self._densities)
        total = volumes[0] * rings
        for number, volume in zip(mixture.phases[1:], volumes[1:], strict=True):
            own = {
                name: getattr(self._recipe.crystal, name).draw(rng)
                for name in ("cell_error", "march_dollase")
            }
            total = total + volume * self._rings_of(number, replace(drawn.crystal, **own), rng)
        return total, mixture

    @cached_property
    def _densities(self) -> Float[np.ndarray, "n"]:
        return np.array([one.density for one in self.candidates])

    def _draw(self, rng: np.random.Generator, seeds: np.random.SeedSequence) -> _Drawn:
        return self._drawn(draw(self._numbers, rng, seeds))

    def _drawn(self, values: Mapping[str, float]) -> _Drawn:
        options = {
            one.option: values[one.column.name]
            for one in self._numbers
            if one.part == "instrument" and one.option in self.instrument.quantities
        }
        crystal = {
            name: getattr(self._recipe.crystal, name).inside
            for name in CrystalSettings.model_fields
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
        return rings_of_sample(self.families(place), drawn, self._ring_axis, rng)
