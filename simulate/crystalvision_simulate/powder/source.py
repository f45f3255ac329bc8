"""Powder patterns of many phases, as a source: reflections once, nuisance for each sample."""

import platform
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import Any, Literal, Self, cast

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, model_validator

from crystalvision.config import Config, Part, validate
from crystalvision.contracts import Axis, Instrument, Measure, Pattern, Recorded, origin_of
from crystalvision.datasets import Column, DatasetHeader, ImageType, Simulated, label_column
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.ranges import MAX_SAMPLES, MAX_SEED
from crystalvision.samples import of_recipes_with
from crystalvision.sources import Sample, Source, SourceSpec
from crystalvision_simulate.numbers import check_columns, draw, numbers_of_part, numbers_of_settings
from crystalvision_simulate.parts import DrawnPart, check_alike
from crystalvision_simulate.powder._candidates import (
    CRYSTAL_SYSTEMS,
    Candidate,
    CandidateSettings,
    candidates_of,
    digest_of,
)
from crystalvision_simulate.powder._reflections import Reflections, march_dollase, reflections
from crystalvision_simulate.powder._rings import ring_axis, share
from crystalvision_simulate.recipes import Quantity, above, at_most, between

SOURCE = "powder"
_SHARD_BYTES = 2**21
_MOST_IN_SHARD = 512
_BAND_INV_ANGSTROM = 3.0
_KEPT = 100_000  # candidates whose reflections stay in memory
_TEXTURE_AXES = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))
_CAVEAT = (
    "Powder patterns are calculated from unit cells: no diffuse scattering, no anomalous "
    "scattering; thermal motion is one number for all atoms; texture is that of March and Dollase."
)


class CrystalSettings(Config):
    """What varies from one powder of a phase to the next.

    Attributes:
        thermal_rms_angstrom: Thermal motion of every atom along one axis [Å].
        cell_error: Relative error of the lattice parameters, of all alike.
        cell_spread: Standard deviation of a further relative error of each of the three axes.
        march_dollase: Parameter r of texture about one of the axes of low indices; 1 for none.
    """

    thermal_rms_angstrom: Quantity = Quantity(0.08)
    cell_error: Quantity = Quantity(0.0)
    cell_spread: Quantity = Quantity(0.0)
    march_dollase: Quantity = Quantity(1.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        between(self.thermal_rms_angstrom, 1.0, "thermal_rms_angstrom")
        between(self.cell_error, 0.05, "cell_error")
        between(self.cell_spread, 0.05, "cell_spread")
        above(self.march_dollase, 0, "march_dollase")
        at_most(self.march_dollase, 20, "march_dollase")
        return self


_CRYSTAL_COLUMNS = {
    "thermal_rms_angstrom": Measure(
        "thermal_rms_angstrom", "angstrom", "thermal motion along one axis, root mean square"
    ),
    "cell_error": Measure("cell_error", "1", "relative error of the lattice parameters"),
    "march_dollase": Measure("march_dollase", "1", "parameter of texture, 1 for none"),
}


class PowderRecipe(Config):
    """A dataset of powder patterns of known phases.

    Attributes:
        name: Its name.
        description: What it is for.
        samples: How many patterns; phases take turns.
        seed: Seed of everything that is drawn.
        candidates: The phases.
        target: What a class is: the `phase`, or its `crystal_system`.
        crystal: What varies in the crystals.
        instrument: What records a pattern.
    """

    name: str = Field(min_length=1)
    description: str = ""
    samples: int = Field(gt=0, le=MAX_SAMPLES)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    candidates: CandidateSettings
    target: Literal["phase", "crystal_system"] = "phase"
    crystal: CrystalSettings = CrystalSettings()
    instrument: Part = Part(name="powder-diffractometer")


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What one sample draws."""

    columns: Mapping[str, float]
    instrument: Mapping[str, float]
    cell_spread: float


@of_recipes_with("candidates")
def open_source(spec: SourceSpec, catalogue: Catalogue) -> Source:
    """Powder patterns of the phases of a library, as a recipe describes them.

    Raises:
        InputError: The recipe is wrong, or a phase cannot be read.
    """
    return PowderSource(
        validate(PowderRecipe, spec.recipe, spec.described_in), catalogue, threads=spec.threads
    )


class PowderSource(Source):
    """Makes powder patterns, each from its index alone.

    Attributes:
        recipe: The recipe.
        candidates: The phases; sample i is of phase i modulo their number.
    """

    def __init__(
        self, recipe: PowderRecipe, catalogue: Catalogue, *, threads: int | None = None
    ) -> None:
        """Read the phases, and check every part of the recipe.

        Raises:
            InputError: As for `open_source`.
        """
        self.recipe = recipe
        self.candidates = candidates_of(recipe.candidates, catalogue)
        self._threads = threads
        self._instrument = _instrument_of(recipe.instrument, catalogue)
        self._labels, self._classes = _labels_of(recipe, self.candidates)
        self._numbers = (
            *numbers_of_settings("crystal", recipe.crystal, _CRYSTAL_COLUMNS),
            *numbers_of_part("instrument", self._instrument),
        )
        self._kept = [one.column for one in self._numbers if any(one.quantity.ends)]
        check_columns(self._kept)
        self._band = self._band_limit()
        self._ring_axis = ring_axis(self._band)
        self._two_theta = self._axes()
        self._reflections = lru_cache(maxsize=_KEPT)(self._reflections_of)

    def _axes(self) -> tuple[Axis, ...]:
        found = [one.axes((self._ring_axis,), self._band) for one in self._instrument.extremes]
        check_alike("instrument", self._instrument.quantities, found)
        return found[0]

    def _band_limit(self) -> float:
        reach = [
            getattr(one, "reach_inv_angstrom", _BAND_INV_ANGSTROM)
            for one in self._instrument.extremes
        ]
        return float(max(reach))

    def _reflections_of(self, index: int) -> Reflections:
        one = self.candidates[index]
        # Cells may be larger than they should be, and their reflections then come in from outside.
        return reflections(one.crystal, 1.06 * self._band, occupancies=one.occupancies)

    @cached_property
    def header(self) -> DatasetHeader:
        """See `crystalvision.sources.Source.header`."""
        recipe = self.recipe
        instrument = self._instrument.example
        shape = (1, *(axis.size for axis in self._two_theta))
        size = np.dtype(instrument.dtype).itemsize * int(np.prod(shape))
        columns = {
            "label": label_column(self._classes),
            "phase": Column(dtype="int64", description="number of the phase in the recipe"),
            **{one.name: _column(one) for one in self._kept},
        }
        if self.recipe.target == "phase":
            del columns["phase"]
        return DatasetHeader(
            samples=recipe.samples,
            image_shape=shape,
            dtype=cast("ImageType", instrument.dtype),
            columns=columns,
            axes=self._two_theta,
            provenance=Simulated(
                source=SOURCE,
                recipe=recipe.model_dump(mode="json"),
                seed=recipe.seed,
                drawn_from=digest_of(self.candidates),
            ),
            recorded=Recorded.join(each.recorded for each in self._instrument.extremes),
            generator=_generator(),
            synthetic=True,
            caveats=(_CAVEAT, *instrument.caveats),
            samples_per_shard=int(np.clip(_SHARD_BYTES // size, 1, _MOST_IN_SHARD)),
        )

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
        instrument = self._instrument.of(drawn.instrument)
        rings = self._rings(place, drawn, rng)
        pattern = Pattern(torch.from_numpy(rings)[None], (self._ring_axis,), self._band)
        recording = instrument.measure(instrument.project(pattern), rng)
        columns: dict[str, float] = {"label": self._labels[place]}
        if self.recipe.target != "phase":
            columns["phase"] = place
        columns |= {one.name: drawn.columns[one.name] for one in self._kept}
        return Sample(recording.counts, columns)

    def _draw(self, rng: np.random.Generator, seeds: np.random.SeedSequence) -> _Drawn:
        values = draw(self._numbers, rng, seeds)
        options = {
            one.option: values[one.column.name]
            for one in self._numbers
            if one.part == "instrument" and one.option in self._instrument.quantities
        }
        return _Drawn(values, options, self.recipe.crystal.cell_spread.draw(rng))

    def _rings(self, place: int, drawn: _Drawn, rng: np.random.Generator) -> Float[np.ndarray, "n"]:
        """What the phase scatters into each |g|, with this sample's cell, motion and texture."""
        found, crystal = self._reflections(place), self.candidates[place].crystal
        length = found.length_inv_angstrom
        rms = drawn.columns["thermal_rms_angstrom"]
        intensity = found.intensity * np.exp(-((2 * np.pi * rms * length) ** 2))
        parameter = drawn.columns["march_dollase"]
        axis = _TEXTURE_AXES[int(rng.integers(len(_TEXTURE_AXES)))]
        if parameter != 1.0:
            intensity = intensity * march_dollase(crystal, found, axis, parameter)
        stretch = 1 + drawn.columns["cell_error"] + drawn.cell_spread * rng.standard_normal(3)
        if drawn.cell_spread:
            length = np.linalg.norm((found.hkl / stretch) @ np.linalg.inv(crystal.cell).T, axis=1)
        else:
            length = length / stretch[0]
        return share(length, intensity, self._ring_axis)


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


def _labels_of(
    recipe: PowderRecipe, candidates: tuple[Candidate, ...]
) -> tuple[list[int], tuple[str, ...]]:
    """The class of each phase, and the names of the classes."""
    if recipe.target == "phase":
        return list(range(len(candidates))), tuple(one.name for one in candidates)
    for one in candidates:
        if not one.crystal_system:
            raise InputError(f"phase '{one.name}': its space group is not known, so no system is")
    present = [
        name for name in CRYSTAL_SYSTEMS if any(name == c.crystal_system for c in candidates)
    ]
    return [present.index(one.crystal_system) for one in candidates], tuple(present)


def _column(measure: Measure) -> Column:
    return Column(dtype="float32", units=measure.units, description=measure.description)


def _generator() -> dict[str, str]:
    return {
        "crystalvision": version("crystalvision"),
        "numpy": version("numpy"),
        "torch": version("torch"),
        "processor": platform.machine(),
    }
