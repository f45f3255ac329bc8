"""Metrics of classes for many resamples at once: a pattern counts as often as it was drawn.

With every pattern drawn once they equal the metrics of `_class_metrics`, which the tests check. A
metric that a resample does not define, such as the recall of a class that it did not draw, is nan.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

Weights = Float[np.ndarray, "r n"]
PerResample = Float[np.ndarray, "r"]


def weighted_classes(
    predicted: Int[np.ndarray, "n"],
    label: Int[np.ndarray, "n"],
    class_names: tuple[str, ...],
    weights: Weights,
) -> dict[str, PerResample]:
    """What follows from the classes alone, of each resample.

    Args:
        predicted: Index of the class that each pattern is taken for, (n,).
        label: Index of the actual class, (n,).
        class_names: Names of the k classes; a metric of one class is called `recall.NAME`.
        weights: How often each resample drew each pattern, (r, n).
    """
    # Sums over patterns, and no confusion of each resample: with k classes that has k² numbers.
    classes = np.eye(len(class_names))
    actual, given = weights @ classes[label], weights @ classes[predicted]
    right = weights @ (classes[label] * (label == predicted)[:, None])
    total = weights.sum(axis=1)
    rest = total[:, None] - actual
    rates: Mapping[str, Float[np.ndarray, "r k"]] = {
        "precision": _ratio(right, given),
        "recall": _ratio(right, actual),
        "specificity": _ratio(rest - given + right, rest),
        "f1": _ratio(2 * right, actual + given),
    }
    accuracy = right.sum(axis=1) / total
    found = {"accuracy": accuracy, "error_rate": 1 - accuracy}
    occurs = (actual + given) > 0
    for name, rate in rates.items():
        found |= _by_class(name, rate, class_names)
        # The macro mean takes a rate without patterns as 0, as torchmetrics and scikit-learn do.
        found[f"macro_{name}"] = _mean(np.where(occurs, np.nan_to_num(rate), np.nan))
    seen = weights @ ((label - predicted) ** 2).astype(np.float64)
    found["quadratic_kappa"] = 1 - _ratio(seen, _distance_by_chance(actual, given) / total)
    return found


def weighted_probabilities(
    probabilities: Float[np.ndarray, "n k"],
    label: Int[np.ndarray, "n"],
    class_names: tuple[str, ...],
    weights: Weights,
) -> dict[str, PerResample]:
    """What follows from the probabilities (n, k), of each resample, as `weighted_classes`.

    The expected calibration error is left out: every resample is less calibrated than the patterns
    that it comes from, so that the percentiles need not even hold the error itself.
    """
    areas, precisions = [], []
    nothing = np.full(len(weights), np.nan)
    there = set(label.tolist())
    for k in range(len(class_names)):
        # Without a pattern of the class there is no curve.
        curves = _curves(probabilities[:, k], label == k, weights) if k in there else None
        area, precision = curves or (nothing, nothing)
        areas.append(area)
        precisions.append(precision)
    actual = np.eye(len(class_names))[label]
    squares = ((probabilities - actual) ** 2).sum(axis=1)
    return {
        **_by_class("auc", np.stack(areas, axis=1), class_names),
        **_by_class("average_precision", np.stack(precisions, axis=1), class_names),
        "macro_auc": _mean(np.stack(areas, axis=1)),
        "macro_average_precision": _mean(np.stack(precisions, axis=1)),
        "brier": weights @ squares / weights.sum(axis=1),
    }


def _distance_by_chance(
    actual: Float[np.ndarray, "r k"], given: Float[np.ndarray, "r k"]
) -> PerResample:
    """Sum of `actual[i] given[j] (i - j)²` over all i and j."""
    steps = np.arange(actual.shape[1], dtype=np.float64)
    squares = (actual @ steps**2) * given.sum(axis=1) + actual.sum(axis=1) * (given @ steps**2)
    distance: PerResample = squares - 2 * (actual @ steps) * (given @ steps)
    return distance


def _curves(
    score: Float[np.ndarray, "n"], positive: np.ndarray, weights: Weights
) -> tuple[PerResample, PerResample]:
    """Area under the ROC curve, and average precision."""
    order = np.argsort(-score, kind="stable")
    first = np.flatnonzero(np.diff(score[order], prepend=np.inf))  # equal scores pass together
    drawn = weights[:, order]
    hits = np.add.reduceat(drawn * positive[order], first, axis=1)
    misses = np.add.reduceat(drawn * ~positive[order], first, axis=1)
    above = np.cumsum(hits, axis=1)
    all_above = above + np.cumsum(misses, axis=1)
    positives, negatives = above[:, -1], (all_above - above)[:, -1]
    area = _ratio(((above - hits / 2) * misses).sum(axis=1), positives * negatives)
    precision = np.nan_to_num(_ratio(above, all_above))
    return area, _ratio((hits * precision).sum(axis=1), positives)


def _by_class(
    name: str, values: Float[np.ndarray, "r k"], class_names: tuple[str, ...]
) -> dict[str, PerResample]:
    return {f"{name}.{each}": values[:, k] for k, each in enumerate(class_names)}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, nan where `whole` is 0."""
    ratio: np.ndarray = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return ratio


def _mean(values: Float[np.ndarray, "r k"]) -> PerResample:
    """Mean over the classes that have a value."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0).sum(axis=1), known.sum(axis=1).astype(float))
