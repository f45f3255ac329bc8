"""Confidence intervals from resampling the judged patterns."""

from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from crystalvision.config import Config
from crystalvision.errors import InputError
from crystalvision.evaluation._weighted import weighted_classification, weighted_severity

RESAMPLES = 1000
LEVEL = 0.95
_INFLATED = "expected_calibration_error"
_NUMBERS_AT_ONCE = 2_000_000  # of a block of weights, which keeps it within tens of megabytes


class Intervals(Config):
    """Percentile bootstrap intervals (Efron & Tibshirani 1993, chapter 13).

    What is drawn, with replacement, is the unit that is independent: the specimen. Patterns of one
    specimen resemble each other, and intervals from drawing them one by one would be too narrow.
    Where each pattern shows a specimen of its own, that is the pattern. The intervals cover the
    choice of what was judged, not that of the training. The expected calibration error has none:
    every resample is less calibrated than the patterns that it comes from, so that the percentiles
    need not even hold the error itself.

    Attributes:
        level: Share of the resamples that each interval holds.
        resamples: How many there were.
        seed: What drew them.
        unit: What was drawn.
        units: How many of them there are.
        values: Lower and upper end by metric, such as `accuracy`, `recall.pristine` and
            `severity.mae`; `None` where too few resamples define the metric.
    """

    level: float
    resamples: int
    seed: int
    unit: Literal["pattern", "specimen"]
    units: int
    values: dict[str, tuple[float, float] | None]

    def of(self, name: str) -> tuple[float, float] | None:
        """The interval of a metric, or `None`."""
        return self.values.get(name)


def bootstrap_intervals(
    probabilities: Float[np.ndarray, "n k"],
    label: Int[np.ndarray, "n"],
    severity: Float[np.ndarray, "n"],
    predicted_severity: Float[np.ndarray, "n"],
    class_names: tuple[str, ...],
    *,
    specimen: Int[np.ndarray, "n"] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Intervals:
    """Intervals of every metric.

    Args:
        probabilities: Probability of each class, (n, k).
        label: Index of the actual class, (n,).
        severity: True severity, (n,).
        predicted_severity: (n,).
        class_names: Names of the k classes.
        specimen: Which specimen each pattern shows, (n,); by default each its own.
        resamples: How many to draw.
        level: Share of them that an interval holds.
        seed: Draws them.

    Raises:
        InputError: No patterns, fewer than two resamples, or a level outside (0, 1).
    """
    _check(len(label), resamples, level)
    numbers, unit_of = np.unique(
        np.arange(len(label)) if specimen is None else specimen, return_inverse=True
    )
    units = len(numbers)
    rng = np.random.default_rng(seed)
    found: dict[str, list[np.ndarray]] = {}
    probabilities = probabilities.astype(np.float64)
    actual, told = severity.astype(np.float64), predicted_severity.astype(np.float64)
    block = max(1, min(resamples, _NUMBERS_AT_ONCE // len(label)))
    for start in range(0, resamples, block):
        weights = _draw(rng, min(block, resamples - start), units)[:, unit_of]
        part = weighted_classification(probabilities, label, class_names, weights)
        del part[_INFLATED]
        of_severity = weighted_severity(told, actual, weights)
        part |= {f"severity.{name}": values for name, values in of_severity.items()}
        for name, values in part.items():
            found.setdefault(name, []).append(values)
    return Intervals(
        level=level,
        resamples=resamples,
        seed=seed,
        unit="pattern" if units == len(label) else "specimen",
        units=units,
        values={name: _ends(np.concatenate(parts), level) for name, parts in found.items()},
    )


def _check(patterns: int, resamples: int, level: float) -> None:
    if not patterns:
        raise InputError("there are no predictions to judge")
    if resamples < 2:
        raise InputError(f"resamples={resamples}: an interval needs at least 2, better 1000")
    if not 0 < level < 1:
        raise InputError(f"level={level}: expected a share between 0 and 1, such as 0.95")


def _draw(rng: np.random.Generator, resamples: int, units: int) -> Float[np.ndarray, "r u"]:
    """How often each resample drew each unit."""
    drawn = rng.integers(units, size=(resamples, units)) + units * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * units)
    return counts.reshape(resamples, units).astype(np.float64)


def _ends(values: Float[np.ndarray, "r"], level: float) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    if len(known) < 0.5 * len(values):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
