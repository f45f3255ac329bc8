"""Numbers that judge classes.

torchmetrics takes seconds to import, so it is imported when there is something to judge.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int

from crystalvision_tasks.reliability import error_by_chance, reliability

OF_A_CLASS = ("precision", "recall", "specificity", "f1", "auc", "average_precision")
"""Metrics that each class has."""


def class_metrics(
    predicted: Int[np.ndarray, "n"], label: Int[np.ndarray, "n"], names: tuple[str, ...]
) -> dict[str, Any]:
    """What follows from the classes alone, as `classification` says.

    Args:
        predicted: Index of the class that each sample is taken for, (n,).
        label: Index of the actual class, (n,).
        names: Names of the k classes.
    """
    from torchmetrics.functional import classification as tm

    given, actual, count = torch.from_numpy(predicted), torch.from_numpy(label), len(names)
    one_class = len(np.unique(np.concatenate([label, predicted]))) == 1
    accuracy = float(tm.multiclass_accuracy(given, actual, count, average="micro"))
    confusion = tm.multiclass_confusion_matrix(given, actual, count)
    return {
        "accuracy": accuracy,
        "error_rate": 1 - accuracy,
        "macro_f1": _macro(tm.multiclass_f1_score, given, actual, count),
        "macro_precision": _macro(tm.multiclass_precision, given, actual, count),
        "macro_recall": _macro(tm.multiclass_recall, given, actual, count),
        "macro_specificity": _macro(tm.multiclass_specificity, given, actual, count),
        "quadratic_kappa": None
        if one_class
        else float(tm.multiclass_cohen_kappa(given, actual, count, weights="quadratic")),
        "samples": dict(zip(names, confusion.sum(dim=1).tolist(), strict=True)),
        **_rates(confusion, names),
        "confusion": confusion.tolist(),
    }


def probability_metrics(
    probabilities: Float[np.ndarray, "n k"],
    predicted: Int[np.ndarray, "n"],
    label: Int[np.ndarray, "n"],
    names: tuple[str, ...],
) -> dict[str, Any]:
    """What follows from the probabilities, as `classification` says.

    Args:
        probabilities: Of each class, (n, k).
        predicted: Index of the class that each sample is taken for, (n,).
        label: Index of the actual class, (n,).
        names: Names of the k classes.
    """
    # Threshold by threshold in double precision: equal scores must stay equal, others distinct.
    scores, actual = torch.from_numpy(probabilities).double(), torch.from_numpy(label)
    areas = _against_the_rest(_auc, scores, actual, names)
    precisions = _against_the_rest(_average_precision, scores, actual, names)
    confidence = scores.max(dim=1).values.numpy()
    truth = torch.nn.functional.one_hot(actual.long(), len(names))
    return {
        "macro_auc": _mean_of_known(areas),
        "macro_average_precision": _mean_of_known(precisions),
        "expected_calibration_error": reliability(confidence, predicted == label).error,
        "calibration_error_by_chance": error_by_chance(confidence),
        "brier": float((scores - truth).square().sum(dim=1).mean()),
        "auc": areas,
        "average_precision": precisions,
    }


def _rates(
    confusion: Int[torch.Tensor, "k k"], class_names: tuple[str, ...]
) -> dict[str, dict[str, float | None]]:
    """Precision, recall, specificity and F1 of each class."""
    right = confusion.diagonal().tolist()
    actual, given = confusion.sum(dim=1).tolist(), confusion.sum(dim=0).tolist()
    total = sum(actual)
    rates: dict[str, dict[str, float | None]] = {
        name: {} for name in ("precision", "recall", "specificity", "f1")
    }
    for name, hits, labelled, said in zip(class_names, right, actual, given, strict=True):
        rates["precision"][name] = _ratio(hits, said)
        rates["recall"][name] = _ratio(hits, labelled)
        rates["specificity"][name] = _ratio(total - labelled - said + hits, total - labelled)
        rates["f1"][name] = _ratio(2 * hits, labelled + said)
    return rates


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _against_the_rest(
    area: Callable[[torch.Tensor, torch.Tensor], float | None],
    scores: torch.Tensor,
    label: torch.Tensor,
    class_names: tuple[str, ...],
) -> dict[str, float | None]:
    return {name: area(scores[:, k], label == k) for k, name in enumerate(class_names)}


def _auc(score: torch.Tensor, positive: torch.Tensor) -> float | None:
    if bool(positive.all()) or not bool(positive.any()):
        return None
    from torchmetrics.functional import classification as tm

    return float(tm.binary_auroc(score, positive.long()))


def _average_precision(score: torch.Tensor, positive: torch.Tensor) -> float | None:
    if not bool(positive.any()):
        return None
    from torchmetrics.functional import classification as tm

    return float(tm.binary_average_precision(score, positive.long()))


def _mean_of_known(values: Mapping[str, float | None]) -> float | None:
    known = [value for value in values.values() if value is not None]
    return sum(known) / len(known) if known else None


def _macro(metric: Any, predicted: torch.Tensor, label: torch.Tensor, count: int) -> float:
    average: Literal["none"] = "none"
    values = metric(predicted, label, count, average=average)
    occurs = torch.unique(torch.cat([label, predicted]))
    return float(values[occurs].double().mean())
