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
    # Sample k of a class has its turn by weight / (k + 0.5), so all can be sorted at once; where
    # two are alike the first class goes first.
    counts = np.ceil(samples * weights / weights.sum()).astype(np.int64) + len(weights) + 2
    turns = np.concatenate(
        [
            weight / (np.arange(min(count, samples)) + 0.5)
            for weight, count in zip(weights, counts, strict=True)
        ]
    )
    labels = np.repeat(np.arange(len(weights)), np.minimum(counts, samples))
    order = np.argsort(-turns, kind="stable")[:samples]
    of_samples: Int[np.ndarray, "n"] = labels[order]
    return of_samples
