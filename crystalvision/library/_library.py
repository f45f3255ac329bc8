"""Candidates with their places."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float, Int

from crystalvision.errors import InputError
from crystalvision.samples import CandidateInfo


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """Candidates, and where a run places each.

    Attributes:
        weights: SHA-256 (hex) of the weights of the run whose places they are.
        draws: How many expected patterns each place is the mean of; 0 for one with everything at
            the middle of what the recipe draws it from.
        entries: What is known of each of n candidates.
        places: Where they lie, each of length 1, float32, (n, e).
    """

    weights: str
    draws: int
    entries: tuple[CandidateInfo, ...]
    places: Float[np.ndarray, "n e"]

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.entries)

    @property
    def names(self) -> tuple[str, ...]:
        """What each is called."""
        return tuple(entry.name for entry in self.entries)

    def part(self, chosen: Sequence[int] | Int[np.ndarray, "m"]) -> Self:
        """Some of the candidates, by place."""
        numbers = np.asarray(chosen, dtype=np.int64)
        entries = tuple(self.entries[number] for number in numbers)
        return replace(self, entries=entries, places=self.places[numbers])

    def joined(self, other: "Library") -> "Library":
        """The candidates of both, each once; names that both have get a number.

        Raises:
            InputError: They are of other weights, or of another number of draws.
        """
        if (self.weights, self.draws) != (other.weights, other.draws):
            raise InputError(
                f"a library of {self.draws} draws and one of {other.draws}, or of two runs, cannot "
                "be joined: give both the same --draws"
            )
        known = {entry.digest for entry in self.entries}
        new = [place for place, entry in enumerate(other.entries) if entry.digest not in known]
        entries = with_names_of_their_own([*self.entries, *(other.entries[n] for n in new)])
        return replace(
            self, entries=entries, places=np.concatenate([self.places, other.places[new]])
        )


def with_names_of_their_own(entries: Sequence[CandidateInfo]) -> tuple[CandidateInfo, ...]:
    """Candidates whose names differ: among those of one name, all but the first have a number."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    named = []
    for entry in entries:
        name = entry.name
        while name in taken:
            counts[entry.name] = counts.get(entry.name, 1) + 1
            name = f"{entry.name} ({counts[entry.name]})"
        taken.add(name)
        named.append(entry if name == entry.name else replace(entry, name=name))
    return tuple(named)
