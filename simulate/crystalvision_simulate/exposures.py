"""New exposures of stored patterns: one rendering of a high dose gives many of lower ones."""

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field, model_validator

from crystalvision.config import Config, validate
from crystalvision.datasets import (
    SPECIMEN,
    SPECIMEN_COLUMN,
    Dataset,
    DatasetHeader,
    Simulated,
    check_counts,
    thinned_columns,
)
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import Sample, Source, SourceSpec
from crystalvision_simulate.recipes import Quantity

_CAVEAT = (
    "Several samples show one specimen, recorded anew: they tell less than as many specimens would."
)


class ExposuresRecipe(Config):
    """What a recipe of exposures says.

    Attributes:
        name: What its maker calls it.
        description: A sentence or two for a reader of the data.
        of: The dataset whose patterns are recorded anew; relative to the current folder.
        split: Which of them.
        kept: The share of their counts that each exposure has, or what it is drawn from.
        samples: How many exposures: as many rounds of those patterns, each in an order of its own.
        seed: Seed of all that is drawn.
    """

    name: str = "exposures"
    description: str = ""
    of: str
    split: Literal["train", "validation", "test", "all"] = "train"
    kept: Quantity
    samples: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _keeps_a_share(self) -> "ExposuresRecipe":
        low, high = min(self.kept.ends), max(self.kept.ends)
        if not 0 < low <= high <= 1:
            raise ValueError(
                f"kept lies between {low:g} and {high:g}; expected shares above 0 to 1"
            )
        return self


class Exposures(Source):
    """Stored counts, each of which an exposure keeps with one probability.

    Counts that follow Poisson's law do so still, with the lower mean: an exposure is what the
    detector would have given of the same specimen at the lower dose. A training that has new ones
    in each epoch cannot learn the noise of its patterns by heart.
    """

    recipe_keys: ClassVar[tuple[str, ...]] = ("of", "kept")

    def __init__(self, spec: SourceSpec, catalogue: Catalogue) -> None:
        """Open the dataset.

        Raises:
            InputError: The recipe is wrong, or the dataset holds no counts or no such patterns.
        """
        del catalogue
        self.recipe = validate(ExposuresRecipe, spec.recipe, spec.described_in)
        self.dataset = Dataset.open(Path(self.recipe.of))
        check_counts(self.dataset)
        self._shown = self.dataset.split(self.recipe.split)
        if not len(self._shown):
            raise InputError(
                f"{self.dataset.path}: its split '{self.recipe.split}' is empty; expected patterns "
                "to expose"
            )

    @cached_property
    def header(self) -> DatasetHeader:
        """See `Source.header`: that of the dataset, which it remembers."""
        before = self.dataset.header
        fields = {name: getattr(before, name) for name in DatasetHeader.model_fields}
        made = Simulated(
            source="exposures",
            recipe=self.recipe.model_dump(mode="json"),
            seed=self.recipe.seed,
            drawn_from=self.dataset.identity,
            of=before.as_part,
        )
        fields |= {
            "samples": self.recipe.samples,
            "columns": {**before.columns, SPECIMEN: SPECIMEN_COLUMN},
            "provenance": made,
            "generator": {"crystalvision": version("crystalvision")},
            "caveats": (*before.caveats, _CAVEAT),
        }
        return validate(DatasetHeader, fields, "exposures")

    def samples(self, indices: Iterable[int]) -> Iterator[Sample]:
        """See `Source.samples`."""
        for index in indices:
            yield self._sample(index)

    def _sample(self, index: int) -> Sample:
        if not 0 <= index < self.recipe.samples:
            raise InputError(f"exposure {index}: expected 0 to {self.recipe.samples - 1}")
        rng = np.random.default_rng([self.recipe.seed, index])
        kept = self.recipe.kept.draw(rng)
        turn, place = divmod(index, len(self._shown))
        chosen = self._shown[_order(len(self._shown), self.recipe.seed, turn)[place], None]
        (image,) = self.dataset.images(chosen)
        image[...] = rng.binomial(image.astype(np.int64), kept)
        values = thinned_columns(self.dataset, chosen, np.array([kept]))
        columns = {SPECIMEN: int(chosen[0]), **{name: one[0] for name, one in values.items()}}
        masks = self.dataset.header.seen
        seen = self.dataset.seen(chosen) if masks is not None and masks.each_sample else None
        return Sample(image, columns, None if seen is None else seen[0])


@lru_cache(maxsize=4)
def _order(count: int, seed: int, turn: int) -> Int[np.ndarray, "n"]:
    """The order of the patterns in one round."""
    return np.random.default_rng([seed, turn, count]).permutation(count)
