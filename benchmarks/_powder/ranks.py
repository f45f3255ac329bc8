"""How high the right phase stands, with candidates that no instrument could tell from it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from crystalvision.evaluation import wilson_interval

TIE_WIDTH_DEG = 0.1
TIE_COSINE = 0.95
TOP = (1, 3, 5)


def ties(calculated: np.ndarray) -> np.ndarray:
    """Which candidates have the same pattern, (k, k).

    Two have if the cosine of their calculated patterns, with peaks as wide as an instrument makes
    them (0.1° at half height) and no other difference, is at least 0.95: lines within a few
    hundredths of a degree, with intensities within some per cent.

    Args:
        calculated: A calculated pattern of each candidate, (k, n).
    """
    unit = calculated / np.linalg.norm(calculated, axis=1, keepdims=True).clip(min=1e-30)
    same: np.ndarray = unit @ unit.T >= TIE_COSINE
    return same | np.eye(len(unit), dtype=bool)


def ranks(scores: np.ndarray, truth: Sequence[int], same: np.ndarray) -> np.ndarray:
    """Rank of the right candidate, or of the first that is tied with it, from 1 on, (m,).

    Args:
        scores: Of each candidate for each pattern, (m, k); of equal ones all others come first.
        truth: The right candidate of each pattern.
        same: As `ties` gives it.
    """
    found = []
    for row, right in zip(scores, truth, strict=True):
        best = row[same[right]].max()
        found.append(1 + int((row[~same[right]] >= best).sum()))
    return np.array(found)


def summary(found: np.ndarray) -> dict[str, Any]:
    """Shares of patterns whose rank is at most k, each with Wilson's interval."""
    told: dict[str, Any] = {}
    for k in TOP:
        hits = int((found <= k).sum())
        low, high = wilson_interval(hits, len(found))
        told[f"top_{k}"] = {
            "hits": hits,
            "share": hits / len(found),
            "wilson_95": [round(low, 4), round(high, 4)],
        }
    return told
