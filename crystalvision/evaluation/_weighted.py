"""Metrics of many resamples at once: each pattern counts as often as a resample drew it.

With every pattern drawn once they equal the metrics of `_metrics`, which the tests check. A metric
that a resample does not define, such as the recall of a class that it did not draw, is nan there.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from crystalvision.evaluation._binning import BINS, bin_of

Weights = Float[np.ndarray, "r n"]
PerResample = Float[np.ndarray, "r"]


def weighted_classification(
    probabilities: Float[np.ndarray, "n k"],
    label: Int[np.ndarray, "n"],
    class_names: tuple[str, ...],
    weights: Weights,
) -> dict[str, PerResample]:
    """Every metric of `ClassificationMetrics` but the confusion, by name, of each resample.

    Args:
        probabilities: Probability of each class, (n, k).
        label: Index of the actual class, (n,).
        class_names: Names of the k classes; a metric of one class is called `recall.NAME`.
        weights: How often each resample drew each pattern, (r, n).
    """
    predicted = probabilities.argmax(axis=1)
    confusion = _confusion(label, predicted, len(class_names), weights)
    found = _of_confusion(confusion, class_names)
    areas, precisions = [], []
    for k in range(len(class_names)):
        area, precision = _curves(probabilities[:, k], label == k, weights)
        areas.append(area)
        precisions.append(precision)
    found |= _by_class("auc", np.stack(areas, axis=1), class_names)
    found |= _by_class("average_precision", np.stack(precisions, axis=1), class_names)
    found["macro_auc"] = _mean(np.stack(areas, axis=1))
    found["macro_average_precision"] = _mean(np.stack(precisions, axis=1))
    total = weights.sum(axis=1)
    actual = np.eye(len(class_names))[label]
    squares = ((probabilities - actual) ** 2).sum(axis=1)
    found["brier"] = weights @ squares / total
    found["expected_calibration_error"] = _calibration_error(
        probabilities.max(axis=1), predicted == label, weights
    )
    return found


def weighted_severity(
    predicted: Float[np.ndarray, "n"], actual: Float[np.ndarray, "n"], weights: Weights
) -> dict[str, PerResample]:
    """Every metric of `SeverityMetrics`, by name, of each resample.

    Args:
        predicted: Predicted severities, (n,).
        actual: True severities, (n,).
        weights: How often each resample drew each pattern, (r, n).
    """
    difference = predicted - actual
    total = weights.sum(axis=1)
    # Means of shifted values: a variance from raw squares would cancel.
    p, a = predicted - predicted.mean(), actual - actual.mean()
    terms = [difference, np.abs(difference), difference**2, p, a, p * p, a * a, p * a]
    bias, mae, square, mp, ma, pp, aa, pa = (weights @ np.stack(terms, axis=1) / total[:, None]).T
    variance = np.maximum(square - bias**2, 0) * total
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = 1.96 * np.sqrt(variance / (total - 1))
        of_predicted, of_actual = pp - mp**2, aa - ma**2
        varies = (of_predicted > 1e-18) & (of_actual > 1e-18)
        correlation = (pa - mp * ma) / np.sqrt(of_predicted * of_actual)
        r2 = 1 - square / of_actual
    return {
        "mae": mae,
        "rmse": np.sqrt(square),
        "r2": np.where(of_actual > 1e-18, r2, np.nan),
        "correlation": np.where(varies, correlation, np.nan),
        "bias": bias,
        "lower_limit": bias - spread,
        "upper_limit": bias + spread,
    }


def _confusion(
    label: Int[np.ndarray, "n"], predicted: Int[np.ndarray, "n"], count: int, weights: Weights
) -> Float[np.ndarray, "r k k"]:
    cells = np.eye(count * count)[label * count + predicted]
    counts: np.ndarray = weights @ cells
    return counts.reshape(-1, count, count)


def _of_confusion(
    confusion: Float[np.ndarray, "r k k"], class_names: tuple[str, ...]
) -> dict[str, PerResample]:
    total = confusion.sum(axis=(1, 2))
    actual, given = confusion.sum(axis=2), confusion.sum(axis=1)
    right = np.diagonal(confusion, axis1=1, axis2=2)
    accuracy = right.sum(axis=1) / total
    rest = total[:, None] - actual
    rates: Mapping[str, Float[np.ndarray, "r k"]] = {
        "precision": _ratio(right, given),
        "recall": _ratio(right, actual),
        "specificity": _ratio(rest - given + right, rest),
        "f1": _ratio(2 * right, actual + given),
    }
    found = {"accuracy": accuracy, "error_rate": 1 - accuracy}
    occurs = (actual + given) > 0
    for name, rate in rates.items():
        found |= _by_class(name, rate, class_names)
        # The macro mean takes a rate without patterns as 0, as torchmetrics and scikit-learn do.
        found[f"macro_{name}"] = _mean(np.where(occurs, np.nan_to_num(rate), np.nan))
    found["quadratic_kappa"] = _kappa(confusion, actual, given, total)
    return found


def _kappa(
    confusion: Float[np.ndarray, "r k k"],
    actual: Float[np.ndarray, "r k"],
    given: Float[np.ndarray, "r k"],
    total: PerResample,
) -> PerResample:
    steps = np.arange(confusion.shape[1])
    penalty = (steps[:, None] - steps[None, :]) ** 2
    seen = (confusion * penalty).sum(axis=(1, 2))
    by_chance = np.einsum("ri,rj,ij->r", actual, given, penalty) / total
    return 1 - _ratio(seen, by_chance)


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


def _calibration_error(
    confidence: Float[np.ndarray, "n"], right: np.ndarray, weights: Weights
) -> PerResample:
    bins = np.eye(BINS)[bin_of(confidence)]
    gap = weights @ (bins * (right - confidence)[:, None])
    error: PerResample = np.abs(gap).sum(axis=1) / weights.sum(axis=1)
    return error


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
