"""Which candidates a pattern lies nearest to: every one is compared, in single precision.

100,000 places of 128 numbers take milliseconds a pattern, so no index is kept; see docs/powder.md.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crystalvision.errors import InputError
from crystalvision.library._library import Library
from crystalvision.prediction import Predictor

_AT_ONCE = 2**24  # cosines in memory
ALIKE = 0.999
"""Cosine of two places beyond which a run hardly tells the candidates apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The nearest candidates of n patterns, k of each, nearest first.

    Attributes:
        library: The candidates.
        index: Which of them, (n, k).
        similarity: Cosine of the angle between pattern and candidate, (n, k).
        probability: Softmax over all candidates of the library, (n, k): how likely each is if one
            of them is there, as sure as the run's calibration on its own classes makes it.
        alike: Whether the run hardly tells a candidate from the nearest one, (n, k).
    """

    library: Library
    index: Int[np.ndarray, "n k"]
    similarity: Float[np.ndarray, "n k"]
    probability: Float[np.ndarray, "n k"]

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.index)

    @property
    def names(self) -> list[list[str]]:
        """Names of the candidates of each pattern, nearest first."""
        return [[self.library.entries[place].name for place in row] for row in self.index.tolist()]

    @property
    def alike(self) -> np.ndarray:
        """Whether each candidate lies where the nearest one does, (n, k): told apart by luck."""
        places = self.library.places[self.index]
        return np.asarray(np.einsum("nke,ne->nk", places, places[:, 0]) > ALIKE)


def search(
    library: Library,
    places: Float[np.ndarray, "n e"],
    *,
    top: int = 5,
    sharpness: float = 1.0,
) -> Matches:
    """The candidates that lie nearest to each of n places.

    Args:
        library: The candidates.
        places: Where patterns lie, each of length 1, (n, e).
        top: How many to give of each, or all that there are.
        sharpness: What cosines are multiplied by before the softmax.

    Raises:
        InputError: `top` is not positive, or the places have another size than the library's.
    """
    if top < 1:
        raise InputError(f"top is {top}; expected at least 1")
    if places.ndim != 2 or places.shape[1] != library.places.shape[1]:
        raise InputError(
            f"places have the shape {places.shape}; expected (n, {library.places.shape[1]})"
        )
    parts = [_nearest(library, each, min(top, len(library)), sharpness) for each in _parts(
        places, max(1, _AT_ONCE // len(library))
    )]  # fmt: skip
    index, similarity, probability = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Matches(library, index, similarity, probability)


def look_up(
    predictor: Predictor,
    library: Library,
    images: np.ndarray,
    *,
    top: int = 5,
    gap_values: tuple[float, ...] = (math.nan,),
) -> Matches:
    """The candidates that raw patterns are most like.

    Args:
        predictor: The run.
        library: Of this run.
        images: As `Predictor.predict` takes them, (n, c, *grid).
        top: How many to give of each.
        gap_values: Values of what was not measured.

    Raises:
        InputError: As for `Predictor.predict`, or no head of the run gives an embedding.
    """
    head = predictor.embedding_head
    places = predictor.embed(images, gap_values=gap_values)
    temperature = next(
        (predictor.temperatures[name] for name in (head.targets if head else ())
         if name in predictor.temperatures), 1.0,
    )  # fmt: skip
    sharpness = 1.0 if head is None else head.sharpness / temperature
    return search(library, places, top=top, sharpness=sharpness)


def _parts(places: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (places[start : start + size] for start in range(0, len(places), size))


def _nearest(
    library: Library, places: Float[np.ndarray, "m e"], top: int, sharpness: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    cosines = np.asarray(places, dtype=np.float32) @ library.places.T
    if top < cosines.shape[1]:
        index = np.argpartition(-cosines, top - 1, axis=1)[:, :top]
    else:
        index = np.broadcast_to(np.arange(top), (len(cosines), top))
    order = np.argsort(-np.take_along_axis(cosines, index, axis=1), axis=1, kind="stable")
    index = np.take_along_axis(index, order, axis=1)
    similarity = np.take_along_axis(cosines, index, axis=1)
    scores = sharpness * (cosines - similarity[:, :1])
    total = np.exp(scores, dtype=np.float64).sum(axis=1, keepdims=True)
    probability = np.exp(sharpness * (similarity - similarity[:, :1]).astype(np.float64)) / total
    return index, similarity, probability
