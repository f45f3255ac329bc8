"""Which specimen each sample shows, and what all patterns of one share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crystalvision.errors import InputError
from crystalvision_simulate.numbers import stream_of
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.recipes.shares import class_of_samples

_SHARED = 0x5BEC  # keeps what patterns of a specimen share apart from what is drawn for one


@dataclass(frozen=True, slots=True)
class ShownSpecimen:
    """The specimen of a sample.

    Attributes:
        number: Its number.
        place: Which of its patterns the sample is, from 0.
        label: Its class.
        kind: The kind of its defects; empty where the recipe has none.
        seeds: What the streams of all that its patterns share are derived from.
    """

    number: int
    place: int
    label: int
    kind: str
    seeds: np.random.SeedSequence


class SpecimensOfSamples:
    """Assigns samples to specimens, and specimens to classes and kinds of defects."""

    def __init__(self, recipe: Recipe, drawn: Sequence[bool]) -> None:
        """Assign classes.

        Args:
            recipe: The recipe.
            drawn: Whether each class has a crystal that samples are made of.

        Raises:
            InputError: A class with samples has none of the kinds of defects.
        """
        self._recipe = recipe
        self.several = recipe.patterns_per_specimen > 1
        count = -(-recipe.samples // recipe.patterns_per_specimen)
        shares = [
            settings.share if has else 0.0
            for settings, has in zip(recipe.classes, drawn, strict=True)
        ]
        self._labels = class_of_samples(shares, count)
        self._kinds = [list(recipe.kinds_of(settings)) for settings in recipe.classes]
        for label in np.unique(self._labels).tolist():
            if recipe.defect_kinds and not self._kinds[label]:
                raise InputError(
                    f"class '{recipe.classes[label].name}' has none of the kinds of defects "
                    f"{', '.join(recipe.kinds or recipe.defect_kinds)}; give it one in "
                    "defect_kinds, or leave its crystals out by `only`"
                )

    def label(self, index: int) -> int:
        """The class of a sample."""
        return int(self._labels[index // self._recipe.patterns_per_specimen])

    def first_of_each_class(self) -> list[int]:
        """Index of the first sample of every class that has one."""
        first = np.unique(self._labels, return_index=True)[1]
        return [int(number) * self._recipe.patterns_per_specimen for number in first]

    def of(self, index: int) -> ShownSpecimen:
        """The specimen of a sample."""
        number, place = divmod(index, self._recipe.patterns_per_specimen)
        seeds = np.random.SeedSequence([self._recipe.seed, number], spawn_key=(_SHARED,))
        label = self.label(index)
        kinds = self._kinds[label]
        drawn = int(stream_of(seeds, "kind").integers(len(kinds))) if len(kinds) > 1 else 0
        return ShownSpecimen(number, place, label, kinds[drawn] if kinds else "", seeds)
