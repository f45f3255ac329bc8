"""Candidates: what a pattern may be of, and what a pattern of each would look like."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Num

Factory = TypeVar("Factory", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class CandidateInfo:
    """What is known of a candidate.

    Attributes:
        name: What answers call it; no two of a library have one name.
        digest: SHA-256 (hex) of all that its expected patterns follow from, beside the recipe: one
            that is given twice has one.
        place: The file that it is from; empty where it is from none.
        elements: Symbols of the elements in it, by which candidates may be chosen.
        facts: What else a reader may want to know, such as its space group.
    """

    name: str
    digest: str
    place: str = ""
    elements: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What patterns of a candidate would look like.

    Attributes:
        index: Which candidate.
        images: Patterns as a dataset of the source has them, (d, c, *grid); `None` where there is
            nothing to see of it.
        reason: Why there is nothing, in a few words.
    """

    index: int
    images: Num[np.ndarray, "d c *grid"] | None
    reason: str = ""


class Candidates(ABC):
    """Candidates, and what a source would record of each.

    Attributes:
        entries: What is known of each.
        left_out: What cannot be a candidate: where it is from → why, in a few words.
    """

    entries: Sequence[CandidateInfo]
    left_out: Mapping[str, str]

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.entries)

    @abstractmethod
    def expected(self, indices: Iterable[int], *, draws: int) -> Iterator[Expected]:
        """Expected patterns of some candidates, in the order asked for.

        They depend on the recipe, the candidate and the number of draws alone, not on which others
        there are.

        Args:
            indices: Which candidates.
            draws: How many patterns of each, with all that varies drawn anew; 0 for one pattern
                with everything at the middle of what the recipe draws it from.
        """


def with_candidates(find: Callable[..., Candidates]) -> Callable[[Factory], Factory]:
    """Mark a function that makes a source: it can say what patterns of candidates look like.

    A class says the same by a static method `find_candidates`.

    Args:
        find: Called as `find(spec, catalogue, places)`, where `spec` holds the recipe and `places`
            are the files and folders that candidates are in: those of the recipe, if there are
            none. Raises `InputError` where there is no candidate.
    """

    def marked(factory: Factory) -> Factory:
        factory.find_candidates = find  # type: ignore[attr-defined] # of our own, on their function
        return factory

    return marked
