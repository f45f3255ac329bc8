"""Confidence intervals of proportions, also of patterns that share specimens."""

import math

import numpy as np
from jaxtyping import Bool, Int

from crystalvision.contracts import Ends

LEVEL = 0.95


def wilson_interval(successes: float, trials: float, level: float = LEVEL) -> Ends:
    """Confidence interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22, 209).

    It is never of no width: of n successes in n trials it says what n trials can.

    Args:
        successes: How many went well; an effective number need not be whole.
        trials: Of how many; more than 0.
        level: Confidence.
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    proportion = successes / trials
    weight = z * z / trials
    middle = (proportion + weight / 2) / (1 + weight)
    spread = math.sqrt(max(0.0, proportion * (1 - proportion)) * weight + weight**2 / 4)
    spread /= 1 + weight
    low = 0.0 if successes <= 0 else max(0.0, middle - spread)
    high = 1.0 if successes >= trials else min(1.0, middle + spread)
    return low, high


def proportion_interval(
    hit: Bool[np.ndarray, "n"],
    counted: Bool[np.ndarray, "n"],
    unit: Int[np.ndarray, "n"],
    level: float = LEVEL,
) -> Ends | None:
    """Interval of the share of hits among the patterns that count; `None` where none counts.

    It is Wilson's. Patterns of one specimen resemble each other, so that they say less than as many
    of their own: then it is Wilson's of an effective number of patterns, that whose proportion
    would vary as much as this one does from specimen to specimen, times (z/t)² for want of
    specimens (Korn & Graubard 1998, Survey Methodology 24, 193). Where every pattern, or none, is a
    hit, nothing varies, and each specimen counts once.

    Args:
        hit: Whether a pattern is a hit, (n,).
        counted: Whether it counts, (n,).
        unit: Its specimen, from 0, (n,).
        level: Confidence.
    """
    trials = int(counted.sum())
    if not trials:
        return None
    hits = int((hit & counted).sum())
    sizes = np.bincount(unit[counted]).astype(np.float64)
    by_unit = np.bincount(unit[hit & counted], minlength=len(sizes))[sizes > 0]
    sizes = sizes[sizes > 0]
    if len(sizes) == trials:
        return wilson_interval(hits, trials, level)
    proportion = hits / trials
    effective = _effective(by_unit, sizes, proportion, level)
    return wilson_interval(proportion * effective, effective, level)


def _effective(
    hits: Int[np.ndarray, "u"], sizes: np.ndarray, proportion: float, level: float
) -> float:
    """How many independent patterns say as much as those of some specimens."""
    from scipy.special import ndtri, stdtrit

    units, trials = len(sizes), float(sizes.sum())
    variance = proportion * (1 - proportion)
    if units == 1 or not variance:
        return float(units)
    scatter = float(((hits - proportion * sizes) ** 2).sum()) * units / (units - 1) / trials**2
    chance = (1 + level) / 2
    want = float(ndtri(chance) / stdtrit(units - 1, chance)) ** 2
    found = trials if not scatter else min(trials, 1 + variance / scatter)
    return max(1.0, found * want)
