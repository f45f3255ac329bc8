"""What makes samples."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Num

from crystalvision.datasets import DatasetHeader
from crystalvision.samples._bound import AccuracyBound
from crystalvision.samples._cost import SourceCost
from crystalvision.samples._refinement import Refinement

Factory = TypeVar("Factory", bound=Callable[..., Any])


def of_recipes_with(*keys: str) -> Callable[[Factory], Factory]:
    """Mark a function that makes a source: recipes with these keys are its own.

    So a recipe need not name its source where several are installed. A class says the same by
    `Source.recipe_keys`.
    """

    def marked(factory: Factory) -> Factory:
        factory.recipe_keys = keys  # type: ignore[attr-defined]
        return factory

    return marked


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a dataset, with all that is known of it.

    Attributes:
        image: Raw counts, or float32 where there is no detector, (c, *grid).
        columns: Label, severity and whatever else the dataset keeps of each sample.
        seen: Which points were measured, (1 or c, *grid), where the header says that each sample
            has a mask of its own.
    """

    image: Num[np.ndarray, "c *grid"]
    columns: Mapping[str, float]
    seen: Bool[np.ndarray, "channels *grid"] | None = None


class Source(ABC):
    """Makes the samples of one dataset.

    A sample depends on the recipe and its index alone: not on which others are made, nor where, nor
    in which order, nor by how many threads. So any part of a dataset can be made again.

    Attributes:
        recipe_keys: Keys that tell its recipes from those of other sources; none by default.
    """

    recipe_keys: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def header(self) -> DatasetHeader:
        """What the dataset is.

        Finding out may take seconds: what only a sample can show to be wrong is found here, before
        anything is written.

        Raises:
            InputError: The recipe asks for what cannot be made.
        """

    @property
    def cost(self) -> SourceCost | None:
        """What making the dataset takes, about; `None`, the default, where it cannot say."""
        return None

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever waits for the dataset should know beforehand, a sentence each."""
        return ()

    @abstractmethod
    def samples(self, indices: Iterable[int]) -> Iterator[Sample]:
        """Make some samples, in the order asked for.

        Few are made ahead of what is taken, so that memory stays bounded; what was begun ends when
        the iterator is closed.

        Args:
            indices: Which samples.

        Raises:
            InputError: An index that is none of the dataset's.
        """

    def accuracy_bound(
        self,
        *,
        patterns: int,
        specimens: int,
        untold: Sequence[str] = (),
        parts: int = 1,
        column: str = "",
        seed: int = 0,
        advance: Callable[[int], object] = lambda _: None,
    ) -> AccuracyBound | None:
        """How well the classes of the samples can be told apart by anyone, if the source can say.

        Only a source that knows what each image would be without noise, and the noise, can.

        Args:
            patterns: Draws of all that varies alike in every class.
            specimens: Specimens of each class for each of them.
            untold: Columns of what varies that who judges is not told; `all` for all of them.
            parts: Of these it is told in which of so many equally probable parts of its range
                each lies.
            column: Something that the recipe chooses from several values, such as
                `dose_electrons`: a bound for each; by default one for all samples.
            seed: Draws them.
            advance: Called with the number of draws that were worked through.

        Returns:
            The bound, or `None`, the default: the source does not know its own noise.

        Raises:
            InputError: A number is too small, or the recipe has no such column, or no noise.
        """
        del patterns, specimens, untold, parts, column, seed, advance
        return None

    def marks(self, candidate: str) -> Float[np.ndarray, "_"] | None:
        """Where on the first axis a class should show itself, such as its reflections.

        Args:
            candidate: Name of the class.

        Returns:
            Places [units of the axis]; or `None`, the default: there are no such places, or none
            are known.

        Raises:
            InputError: A name that is no class of the source's.
        """
        del candidate
        return None

    def ideal(self, index: int) -> Float[np.ndarray, "c *grid"] | None:
        """What a sample would be without its defects and without noise, if the source can say.

        Args:
            index: Which sample.

        Returns:
            On the axes of the samples and in any unit, (c, *grid); or `None`, the default: the
            source knows no such thing.

        Raises:
            InputError: An index that is none of the dataset's.
        """
        del index
        return None

    def refine(
        self,
        pattern: Float[np.ndarray, "c *grid"],
        seen: Bool[np.ndarray, "channels *grid"] | None,
        candidates: Sequence[str],
        *,
        most_parts: int = 1,
        advance: Callable[[int], object] = lambda _: None,
    ) -> list[Refinement] | None:
        """Fit to a measured pattern what it would be of each candidate, if the source can.

        Args:
            pattern: On the axes of the source's samples, (c, *grid).
            seen: Which of its points were measured, (1 or c, *grid); `None` for all.
            candidates: Names of classes, the likeliest first.
            most_parts: How many of them may be there at once. With several, what is returned is
                one refinement: what is found is taken into it as long as it explains more.
            advance: Called with the number of candidates that were worked through.

        Returns:
            One for each candidate, what explains most first; or `None`, the default: the source
            cannot fit its patterns.

        Raises:
            InputError: A name that is no class of the source's, or a pattern without counts.
        """
        del pattern, seen, candidates, most_parts, advance
        return None
