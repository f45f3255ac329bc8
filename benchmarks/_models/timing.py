"""Rates of two networks, taken in turn."""

from collections.abc import Sequence

import numpy as np

from _models.child import Child
from _models.settings import Result


def pairs(child: Child, unit: Child, rounds: int) -> tuple[list[float], list[float]]:
    """Images a second of both, one of each a round, in an order that alternates.

    What else the machine does then falls on both alike.
    """
    rates: dict[Child, list[float]] = {child: [], unit: []}
    for number in range(rounds):
        for one in (child, unit) if number % 2 == 0 else (unit, child):
            rates[one].append(one.rate())
    return rates[child], rates[unit]


def spread(values: Sequence[float]) -> Result:
    """Median, least and greatest of repeated measurements, and each of them."""
    return {
        "median": float(np.median(values)),
        "min": float(min(values)),
        "max": float(max(values)),
        "values": [float(value) for value in values],
    }


def ratios(numerator: Sequence[float], denominator: Sequence[float], factor: float = 1) -> Result:
    """Spread of the ratios of what was measured in the same round, times a factor."""
    return spread([factor * n / d for n, d in zip(numerator, denominator, strict=True)])
