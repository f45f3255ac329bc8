"""Patterns in which NaN stands for what was not measured."""

import math
from typing import Any

import numpy as np

from crystalvision.datasets import Match

UNSEEN = (math.nan,)
"""Values of what was not measured in patterns that `carried` gives: see `GapValues`."""

Array = np.ndarray[Any, Any]


def carried(match: Match, counts: Array, seen: Array | None) -> Array:
    """Patterns on the axes of a run, (..., *grid), NaN for what was not seen.

    Args:
        match: How they fit the run.
        counts: As measured, 0 for what was not.
        seen: Which points were measured; `None` for all of them.
    """
    images, seen = match.carry(counts, None if seen is None or seen.all() else seen)
    if seen is None or seen.all():
        return images
    return np.where(seen, images, np.float32(math.nan)).astype(np.float32)
