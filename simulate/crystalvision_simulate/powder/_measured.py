"""A measured powder pattern, and how far it is to be believed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

_MODEL_ERROR = 0.05  # of what lies above the background: no calculated intensity is better
_LEAST_VARIANCE = 1e-3  # of the greatest count, where nothing was counted


@dataclass(frozen=True, eq=False)
class Measured:
    """A measured pattern, and how far each of its steps is to be believed.

    Attributes:
        counts: Of each step, (t,).
        weight: Reciprocal of the standard deviation of each step, 0 where nothing was seen, (t,).
    """

    counts: Float[np.ndarray, "t"]
    weight: Float[np.ndarray, "t"]

    @classmethod
    def of(cls, counts: Float[np.ndarray, "t"], seen: Bool[np.ndarray, "t"] | None) -> "Measured":
        """With the variance of counts, and a share of what lies above the background."""
        from scipy.ndimage import minimum_filter1d, uniform_filter1d

        counts = np.asarray(counts, dtype=np.float64)
        if seen is not None:  # what lies there is no count, and must not reach its neighbours
            places = np.arange(len(counts))
            counts = np.interp(places, places[seen], counts[seen])
        smooth = uniform_filter1d(counts, 5)
        above = smooth - minimum_filter1d(uniform_filter1d(counts, 15), 101)
        variance = np.clip(smooth, _LEAST_VARIANCE * max(float(counts.max(initial=0)), 1e-30), None)
        variance = variance + np.square(_MODEL_ERROR * above)
        weight = 1 / np.sqrt(variance)
        return cls(counts, weight if seen is None else weight * seen)

    @cached_property
    def noise(self) -> float:
        """Weighted squares that noise alone makes, from how each step differs from its neighbours.

        Whatever unit the counts are in; steps that were smoothed seem to have less.
        """
        there = (self.weight[1:-1] > 0) & (self.weight[2:] > 0) & (self.weight[:-2] > 0)
        bent = self.counts[1:-1] - 0.5 * (self.counts[2:] + self.counts[:-2])
        off = np.abs(self.weight[1:-1] * bent)[there]
        if not len(off):
            return 0.0
        # Of a normal distribution, from the median; a third comes from the neighbours.
        variance = float(np.median(off) / 0.6745) ** 2 / 1.5
        return variance * int((self.weight > 0).sum())

    def residual(self, calculated: Float[np.ndarray, "t"]) -> float:
        """R_wp of a calculated pattern, with the variance of counts alone."""
        there = self.weight > 0
        counts = self.counts[there]
        least = max(_LEAST_VARIANCE * float(counts.max()), 1e-30)
        variance = np.clip(counts, least, None)
        left = np.square(counts - calculated[there]) / variance
        return float(np.sqrt(left.sum() / (np.square(counts) / variance).sum()))
