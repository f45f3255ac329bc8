"""Powder patterns of many phases, as a source: reflections once, nuisance for each sample."""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.metadata import version
from itertools import chain, islice
from typing import Any, cast

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.config import Part
from crystalvision.contracts import Instrument, Measure, Recorded, origin_of
from crystalvision.datasets import (
    SPECIMEN,
    SPECIMEN_COLUMN,
    Column,
    DatasetHeader,
    ImageType,
    Simulated,
    label_column,
)
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.samples import Refinement
from crystalvision.sources import Sample, Source
from crystalvision_simulate.parts import DrawnPart
from crystalvision_simulate.powder._candidates import candidates_of, digest_of
from crystalvision_simulate.powder._maker import PowderMaker, PowderSample
from crystalvision_simulate.powder._mixtures import FRACTIONS
from crystalvision_simulate.powder._phase import Candidate
from crystalvision_simulate.powder._recipe import PowderRecipe, labels_of
from crystalvision_simulate.powder._refine import Refiner, refiner_of

SOURCE = "powder"
_SHARD_BYTES = 2**21
_MOST_IN_SHARD = 512
_TOGETHER = 16  # samples
_KEPT = 100_000  # candidates whose reflections stay in memory
_CAVEAT = (
    "Powder patterns are calculated from unit cells: no diffuse scattering, no anomalous "
    "scattering; thermal motion is one number for all atoms; texture is that of March and Dollase."
)


class PowderSource(Source):
    """Makes powder patterns, each from its index alone.

    Attributes:
        recipe: The recipe.
        candidates: The phases; sample i is of phase i modulo their number.
        maker: Makes the samples.
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
        instrument = _instrument_of(recipe.instrument, catalogue)
        self._labels, self._classes = labels_of(recipe, self.candidates)
        self.maker = PowderMaker(recipe, self.candidates, instrument, kept)

    @cached_property
    def header(self) -> DatasetHeader:
        """See `crystalvision.sources.Source.header`."""
        recipe = self.recipe
        instrument = self.maker.instrument.example
        shape = (1, *(axis.size for axis in self.maker.two_theta))
        size = np.dtype(instrument.dtype).itemsize * int(np.prod(shape))
        columns = {
            "label": label_column(self._classes, elements=self._elements()),
            **self._phase_columns(),
            **{one.name: _column(one) for one in self.maker.kept},
        }
        return DatasetHeader(
            samples=recipe.samples,
            image_shape=shape,
            dtype=cast("ImageType", instrument.dtype),
            columns=columns,
            axes=self.maker.two_theta,
            provenance=Simulated(
                source=SOURCE,
                recipe=recipe.model_dump(mode="json"),
                seed=recipe.seed,
                drawn_from=digest_of(self.candidates),
            ),
            recorded=Recorded.join(each.recorded for each in self.maker.instrument.extremes),
            generator=_generator(),
            synthetic=True,
            caveats=(_CAVEAT, *instrument.caveats),
            samples_per_shard=int(np.clip(_SHARD_BYTES // size, 1, _MOST_IN_SHARD)),
        )

    def _elements(self) -> tuple[tuple[str, ...], ...]:
        """Elements of each class, where a class is a phase."""
        return (
            tuple(one.elements for one in self.candidates) if self.recipe.target == "phase" else ()
        )

    def _phase_columns(self) -> dict[str, Column]:
        """What says of which phases a sample is, beside its class."""
        found = {}
        if self.recipe.target != "phase":  # a system is to be told of phases that are new
            found[SPECIMEN] = SPECIMEN_COLUMN.model_copy(
                update={"description": "number of the phase in the recipe"}
            )
        if self.recipe.mixture is not None:
            found[FRACTIONS] = Column(
                dtype="float32",
                description="share by weight of each phase",
                shape=(len(self.candidates),),
                components=tuple(one.name for one in self.candidates),
            )
        return found

    @cached_property
    def _refiner(self) -> Refiner | None:
        if self.recipe.target != "phase":
            return None
        return refiner_of(self.candidates, self.maker.instrument.extremes, self.maker.band)

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
            yield from chain.from_iterable(map(self._samples, _batched(indices)))
            return
        with ThreadPoolExecutor(self._threads, "crystalvision-powder") as executor:
            yield from chain.from_iterable(executor.map(self._samples, _batched(indices)))

    def sample(self, index: int) -> Sample:
        """One sample."""
        return self._samples([index])[0]

    def _samples(self, indices: Sequence[int]) -> list[Sample]:
        return [Sample(one.counts, self._columns(one)) for one in self.maker.make_all(indices)]

    def _columns(self, made: PowderSample) -> dict[str, Any]:
        place = made.mixture.phases[0]
        columns: dict[str, Any] = {"label": self._labels[place]}
        if self.recipe.mixture is not None:
            fractions = np.zeros(len(self.candidates), dtype=np.float32)
            fractions[list(made.mixture.phases)] = made.mixture.weights
            columns[FRACTIONS] = fractions
        if self.recipe.target != "phase":
            columns[SPECIMEN] = place
        return columns | {one.name: made.columns[one.name] for one in self.maker.kept}

    def ideal(self, index: int) -> Float[np.ndarray, "c *grid"]:
        """See `crystalvision.sources.Source.ideal`: still, unstrained grains in all directions."""
        return self.maker.ideal(self.maker.make(index))


def _batched(indices: Iterable[int]) -> Iterator[list[int]]:
    """As many indices at a time as are made together."""
    left = iter(indices)
    while some := list(islice(left, _TOGETHER)):
        yield some


def _instrument_of(part: Part, catalogue: Catalogue) -> DrawnPart[Instrument]:
    entry = catalogue.entry("instrument", part.name)

    def create(options: Mapping[str, Any]) -> Instrument:
        made: Instrument = entry.create(options, {})
        return made

    drawn = DrawnPart(part, create, "instrument")
    example = drawn.example
    if "intensity" not in example.records:
        raise InputError(
            f"the {origin_of(example, 'instrument')} records {' or '.join(example.records)} of a "
            "beam; a powder has intensities: take powder-diffractometer"
        )
    return drawn


def _column(measure: Measure) -> Column:
    return Column(dtype="float32", units=measure.units, description=measure.description)


def _generator() -> dict[str, str]:
    return {
        "crystalvision": version("crystalvision"),
        "numpy": version("numpy"),
        "torch": version("torch"),
        "processor": platform.machine(),
    }
