"""Which class each sample belongs to."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int


def class_of_samples(shares: Sequence[float], samples: int) -> Int[np.ndarray, "n"]:
    """The class of every sample, (n,), so that any beginning of a dataset keeps the shares.

    Each next sample goes to the class that is furthest behind its share (the method of Webster, or
    Sainte-Laguë), so a sample's class does not depend on how many there are.

    Args:
        shares: Relative share of each class.
        samples: Number of samples.
    """
    weights = np.asarray(shares, dtype=np.float64)
    counts = np.zeros(len(weights))
    labels = np.empty(samples, dtype=np.int64)
    for index in range(samples):
        labels[index] = np.argmax(weights / (counts + 0.5))
        counts[labels[index]] += 1
    return labels
