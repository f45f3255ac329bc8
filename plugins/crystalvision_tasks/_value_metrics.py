"""Numbers that judge real values, and those of many resamples at once."""

import math

import numpy as np
from jaxtyping import Float

Weights = Float[np.ndarray, "r n"]
PerResample = Float[np.ndarray, "r"]


def value_metrics(
    predicted: Float[np.ndarray, "n"], actual: Float[np.ndarray, "n"]
) -> dict[str, float | None]:
    """What `regression` says of n values.

    Args:
        predicted: (n,).
        actual: (n,).
    """
    said, true = predicted.astype(np.float64).tolist(), actual.astype(np.float64).tolist()
    difference = [one - other for one, other in zip(said, true, strict=True)]
    count, bias = len(true), _mean(difference)
    p, a = _centred(said), _centred(true)
    of_said, of_true, of_both = (_dot(*pair) for pair in ((p, p), (a, a), (p, a)))
    squares = _dot(difference, difference)
    around = _centred(difference)
    spread = 1.96 * math.sqrt(_dot(around, around) / (count - 1)) if count > 1 else None
    least = 1e-18 * (count - 1)
    varies = count > 1 and of_said > least and of_true > least
    return {
        "mae": _mean([abs(each) for each in difference]),
        "rmse": math.sqrt(squares / count),
        "r2": 1 - squares / of_true if of_true > 1e-9 else None,
        "correlation": of_both / math.sqrt(of_said * of_true) if varies else None,
        "bias": bias,
        "lower_limit": None if spread is None else bias - spread,
        "upper_limit": None if spread is None else bias + spread,
    }


def weighted_values(
    predicted: Float[np.ndarray, "n"], actual: Float[np.ndarray, "n"], weights: Weights
) -> dict[str, PerResample]:
    """The same metrics of each resample.

    Args:
        predicted: (n,).
        actual: (n,).
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


# Sums are rounded once, exactly: they are then the same on every machine.
def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _centred(values: list[float]) -> list[float]:
    mean = _mean(values)
    return [value - mean for value in values]


def _dot(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))
