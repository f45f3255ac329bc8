"""Confidence intervals: Wilson's of proportions, and from resampling of everything else."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import field_validator

from crystalvision.config import Config
from crystalvision.errors import InputError
from crystalvision.evaluation._proportions import (
    LEVEL,
    Ends,
    proportion_interval,
    wilson_interval,
)
from crystalvision.evaluation._weighted import weighted_classification, weighted_severity

RESAMPLES = 1000
_INFLATED = "expected_calibration_error"
_NUMBERS_AT_ONCE = 2_000_000  # of a block of weights, which keeps it within tens of megabytes


class Intervals(Config):
    """Intervals of what an evaluation tells.

    Proportions (accuracy, error rate, precision, recall, specificity, the share that is rejected)
    have Wilson's interval, and F1 that of the proportion q that it follows from, 2q / (1 + q).
    Everything else has a percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13). Where
    every resample is the same, as when every pattern is told rightly, resampling sees no doubt; an
    interval of no width would claim what so many patterns cannot show. Then a macro mean has the
    mean of the ends of its classes, an area under a ROC curve of 1 or 0 has Wilson's interval of as
    many pairs as are independent of each other, min(positives, negatives), and what is left has
    none.

    What is independent is the specimen: patterns of one specimen resemble each other, and intervals
    that take them one by one would be too narrow. Where each pattern shows a specimen of its own,
    that is the pattern. The intervals cover the choice of what was judged, not that of the
    training. The expected calibration error has none: every resample is less calibrated than the
    patterns that it comes from, so that the percentiles need not even hold the error itself.

    Attributes:
        level: Confidence.
        resamples: How many resamples there were.
        seed: What drew them.
        unit: What was drawn.
        units: How many of them there are.
        values: Lower and upper end by metric, such as `accuracy`, `recall.pristine` and
            `severity.mae`; `None` where too few resamples define the metric, or all are the same.
        all_the_same: Metrics that have no interval because every resample is the same.
    """

    level: float
    resamples: int
    seed: int
    unit: Literal["pattern", "specimen"]
    units: int
    values: dict[str, tuple[float, float] | None]
    all_the_same: tuple[str, ...] = ()

    @field_validator("values")
    @classmethod
    def _without_points(cls, values: dict[str, Ends | None]) -> dict[str, Ends | None]:
        """Evaluations of earlier versions give intervals of no width."""
        return {
            name: None if each is None or _is_point(each) else each for name, each in values.items()
        }

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
    rejected: Bool[np.ndarray, "n"] | None = None,
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
        rejected: Which patterns are flagged as unlike the training data, (n,).
        resamples: How many to draw.
        level: Confidence of an interval.
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
    ends = {name: _ends(np.concatenate(parts), level) for name, parts in found.items()}
    same = {name for name, each in ends.items() if each is not None and _is_point(each)}
    predicted = probabilities.argmax(axis=1)
    ends |= _of_proportions(predicted, label, unit_of, class_names, rejected, level)
    ends |= _instead(same, ends, label, unit_of, class_names, level)
    left = tuple(name for name, each in ends.items() if each is not None and _is_point(each))
    return Intervals(
        level=level,
        resamples=resamples,
        seed=seed,
        unit="pattern" if units == len(label) else "specimen",
        units=units,
        values=ends,
        all_the_same=left,
    )


def _of_proportions(
    predicted: Int[np.ndarray, "n"],
    label: Int[np.ndarray, "n"],
    unit: Int[np.ndarray, "n"],
    class_names: tuple[str, ...],
    rejected: Bool[np.ndarray, "n"] | None,
    level: float,
) -> dict[str, Ends | None]:
    """Intervals of the metrics that are proportions of patterns, or follow from one."""
    everything = np.ones(len(label), dtype=bool)
    right = predicted == label

    def interval(hit: np.ndarray, counted: np.ndarray) -> Ends | None:
        return proportion_interval(hit, counted, unit, level)

    found = {
        "accuracy": interval(right, everything),
        "error_rate": interval(~right, everything),
    }
    if rejected is not None:
        found["rejected"] = interval(rejected, everything)
    for k, name in enumerate(class_names):
        told, actual = predicted == k, label == k
        found[f"precision.{name}"] = interval(right, told)
        found[f"recall.{name}"] = interval(right, actual)
        found[f"specificity.{name}"] = interval(~told, ~actual)
        overlap = interval(right, told | actual)
        found[f"f1.{name}"] = overlap and (_f1(overlap[0]), _f1(overlap[1]))
    return found


def _f1(overlap: float) -> float:
    """F1 where right predictions of a class are such a share of what is it or is said to be."""
    return 2 * overlap / (1 + overlap)


def _instead(
    same: set[str],
    ends: dict[str, Ends | None],
    label: Int[np.ndarray, "n"],
    unit: Int[np.ndarray, "n"],
    class_names: tuple[str, ...],
    level: float,
) -> dict[str, Ends | None]:
    """Intervals of metrics of which every resample is the same, where one can be given."""
    found: dict[str, Ends | None] = {}
    for k, name in enumerate(class_names):
        each = f"auc.{name}"
        value = ends[each]
        if each in same and value is not None and value[0] in {0.0, 1.0}:
            pairs = min(len(np.unique(unit[chosen])) for chosen in (label == k, label != k))
            found[each] = wilson_interval(value[0] * pairs, pairs, level)
    known = {**ends, **found}
    for macro in sorted(each for each in same if each.startswith("macro_")):
        names = [f"{macro.removeprefix('macro_')}.{name}" for name in class_names]
        parts = [part for part in map(known.get, names) if part is not None]
        if parts:
            low, high = np.mean(parts, axis=0).tolist()
            found[macro] = (low, high)
    return found


def _is_point(ends: Ends) -> bool:
    """Whether an interval has no width, but for rounding."""
    return ends[1] - ends[0] <= 1e-9 * max(1.0, abs(ends[0]))


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
