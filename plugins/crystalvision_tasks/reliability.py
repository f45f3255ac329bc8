"""Expected calibration error, and the bins that it is made of."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

BINS = 15
"""Equal bins of the highest probability, as Guo et al. 2017 (arXiv:1706.04599) take."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often the most probable class is right, by how probable it was said to be.

    Attributes:
        edges: Edges of the bins of the highest probability, (b + 1,).
        patterns: Patterns in each bin, (b,).
        confidence: Mean of the highest probability in each bin, (b,); nan where it is empty.
        accuracy: Share of them that are right, (b,); nan where it is empty.
    """

    edges: Float[np.ndarray, "_"]
    patterns: Int[np.ndarray, "b"]
    confidence: Float[np.ndarray, "b"]
    accuracy: Float[np.ndarray, "b"]

    @property
    def error(self) -> float:
        """Expected calibration error: mean of |accuracy - confidence|, weighted by patterns."""
        filled = self.patterns > 0
        gap = np.abs(self.accuracy - self.confidence)[filled]
        return float((gap * self.patterns[filled]).sum() / self.patterns.sum())


def bin_of(confidence: Float[np.ndarray, "n"], bins: int = BINS) -> Int[np.ndarray, "n"]:
    """The bin of each highest probability, (n,); the last bin holds 1 as well."""
    return np.asarray(np.clip((confidence * bins).astype(np.int64), 0, bins - 1))


def reliability(
    confidence: Float[np.ndarray, "n"], right: Bool[np.ndarray, "n"], bins: int = BINS
) -> Reliability:
    """Bin patterns by the probability of their most probable class.

    Args:
        confidence: The highest probability of each pattern, (n,).
        right: Whether that class is right, (n,).
        bins: Number of equal bins of [0, 1].
    """
    place = bin_of(confidence, bins)
    patterns = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        sure = np.bincount(place, weights=confidence, minlength=bins) / patterns
        hits = np.bincount(place, weights=right, minlength=bins) / patterns
    return Reliability(np.linspace(0, 1, bins + 1), patterns, sure, hits)


def error_by_chance(confidence: Float[np.ndarray, "n"], bins: int = BINS) -> float:
    """The expected calibration error that a perfectly calibrated system would show.

    The difference of a bin is then that of a mean of coins, of which the mean distance from 0 is
    about √(2/π) standard deviations.

    Args:
        confidence: The highest probability of each pattern, (n,).
        bins: Number of equal bins of [0, 1].
    """
    variance = np.bincount(
        bin_of(confidence, bins), weights=confidence * (1 - confidence), minlength=bins
    )
    return float(np.sqrt(2 / np.pi * variance.clip(min=0)).sum() / len(confidence))
