"""Times, ratios and slopes."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from _simulation.settings import Result


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """How long some work takes, all of it done on the device [s]."""
    _wait(device)
    begin = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - begin


def interleaved(timers: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Times of several works, one of each a round, in an order that alternates [s].

    What else the machine does then falls on all alike. Each is timed once before, to warm up.

    Args:
        timers: Do the work and say how long it took [s].
        rounds: How often.
    """
    for timer in timers.values():
        timer()
    times: dict[str, list[float]] = {name: [] for name in timers}
    for number in range(rounds):
        names = list(timers)
        for name in names if number % 2 == 0 else reversed(names):
            times[name].append(timers[name]())
    return times


def spread(values: Sequence[float]) -> Result:
    """Median, least and greatest of repeated measurements, and each of them."""
    return {
        "median": float(np.median(values)),
        "min": float(min(values)),
        "max": float(max(values)),
        "values": [float(value) for value in values],
    }


def ratios(numerator: Sequence[float], denominator: Sequence[float]) -> Result:
    """Spread of the ratios of what was measured in the same round."""
    return spread([n / d for n, d in zip(numerator, denominator, strict=True)])


def power_law(sizes: Sequence[float], times: Sequence[float]) -> Result:
    """Fit of t = a·nᵇ by least squares of the logarithms, and the slope between the two largest.

    Returns:
        Sizes and times, `exponent` b, `factor` a [s], `last_exponent`; no fit of a single size.
    """
    fit: Result = {"sizes": list(sizes), "seconds": list(times)}
    if len(sizes) > 1:
        slope, intercept = np.polyfit(np.log(sizes), np.log(times), 1)
        last = np.log(times[-1] / times[-2]) / np.log(sizes[-1] / sizes[-2])
        fit |= {
            "exponent": float(slope),
            "factor": float(np.exp(intercept)),
            "last_exponent": float(last),
        }
    return fit


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
