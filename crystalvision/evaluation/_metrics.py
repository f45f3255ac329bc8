"""Numbers that judge predictions.

torchmetrics takes seconds to import, so it is imported when there is something to judge.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from jaxtyping import Float, Int

from crystalvision.config import Config
from crystalvision.errors import InputError
from crystalvision.evaluation._binning import reliability


class ClassificationMetrics(Config):
    """How well classes are told.

    "Macro" is the plain mean over the classes that occur, as label or as prediction. A number that
    has no meaning, such as the recall of a class that does not occur, is `None`.

    Attributes:
        accuracy: Fraction of patterns whose class is right.
        error_rate: Fraction whose class is wrong.
        macro_f1: Macro mean of `f1`.
        macro_precision: Macro mean of `precision`.
        macro_recall: Macro mean of `recall` (sensitivity).
        macro_specificity: Macro mean of `specificity`.
        quadratic_kappa: Cohen's kappa with quadratic weights; `None` where only one class occurs.
        macro_auc: Mean of `auc` over the classes that have one; `None` where none has.
        macro_average_precision: The same of `average_precision`.
        expected_calibration_error: Mean difference between how probable the most probable class was
            said to be and how often it is right, in 15 equal bins of that probability, weighted by
            their patterns (Guo et al. 2017, arXiv:1706.04599). Few patterns make it too large.
        brier: Mean squared distance of the probabilities from the truth, summed over the classes,
            from 0 to 2 (Brier 1950).
        precision: Of each class: right predictions among all predictions of it.
        recall: Right predictions among all patterns of it.
        specificity: Patterns rightly not given it among all not of it.
        f1: Harmonic mean of precision and recall.
        auc: Area under the ROC curve of each class against the rest; `None` where a class, or the
            rest, does not occur.
        average_precision: Mean precision over the recalls of each class against the rest.
        confusion: Number of patterns by actual class (row) and predicted class (column).
    """

    accuracy: float
    error_rate: float
    macro_f1: float
    macro_precision: float
    macro_recall: float
    macro_specificity: float
    quadratic_kappa: float | None
    macro_auc: float | None
    macro_average_precision: float | None
    expected_calibration_error: float
    brier: float
    precision: dict[str, float | None]
    recall: dict[str, float | None]
    specificity: dict[str, float | None]
    f1: dict[str, float | None]
    auc: dict[str, float | None]
    average_precision: dict[str, float | None]
    confusion: tuple[tuple[int, ...], ...]


class SeverityMetrics(Config):
    """How well severity is told; differences are predicted minus true.

    Attributes:
        mae: Mean absolute difference.
        rmse: Root of the mean squared difference.
        r2: Coefficient of determination: 1 for none, 0 for the squared differences that the mean
            true severity would give; `None` where the truth does not vary.
        correlation: Pearson's correlation; `None` where predictions or truth do not vary.
        bias: Mean difference (Bland & Altman 1986, Lancet 327, 307).
        lower_limit: `bias` minus 1.96 standard deviations of the differences.
        upper_limit: `bias` plus the same; `None`, as the lower one, for a single pattern.
    """

    mae: float
    rmse: float
    r2: float | None
    correlation: float | None
    bias: float
    lower_limit: float | None
    upper_limit: float | None


def classification_metrics(
    probabilities: Float[torch.Tensor, "n k"],
    label: Int[torch.Tensor, "n"],
    class_names: tuple[str, ...],
) -> ClassificationMetrics:
    """Judge probabilities.

    Args:
        probabilities: Probability of each class, (n, k).
        label: Index of the actual class, (n,).
        class_names: Names of the k classes.

    Raises:
        InputError: No patterns.
    """
    from torchmetrics.functional import classification as tm

    if not len(label):
        raise InputError("there are no predictions to judge")
    predicted = probabilities.argmax(dim=1)
    count = len(class_names)
    one_class = len(torch.unique(torch.cat([label, predicted]))) == 1
    accuracy = float(tm.multiclass_accuracy(predicted, label, count, average="micro"))
    confusion = tm.multiclass_confusion_matrix(predicted, label, count)
    aucs = _against_the_rest(_auc, probabilities, label, class_names)
    precisions = _against_the_rest(_average_precision, probabilities, label, class_names)
    curve = reliability(
        probabilities.double().max(dim=1).values.numpy(), (predicted == label).numpy()
    )
    truth = torch.nn.functional.one_hot(label.long(), count)
    return ClassificationMetrics(
        accuracy=accuracy,
        error_rate=1 - accuracy,
        macro_f1=_macro(tm.multiclass_f1_score, predicted, label, count),
        macro_precision=_macro(tm.multiclass_precision, predicted, label, count),
        macro_recall=_macro(tm.multiclass_recall, predicted, label, count),
        macro_specificity=_macro(tm.multiclass_specificity, predicted, label, count),
        quadratic_kappa=None
        if one_class
        else float(tm.multiclass_cohen_kappa(predicted, label, count, weights="quadratic")),
        macro_auc=_mean_of_known(aucs),
        macro_average_precision=_mean_of_known(precisions),
        expected_calibration_error=curve.error,
        brier=float((probabilities.double() - truth).square().sum(dim=1).mean()),
        **_rates(confusion, class_names),
        auc=aucs,
        average_precision=precisions,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def severity_metrics(
    predicted: Float[torch.Tensor, "n"], actual: Float[torch.Tensor, "n"]
) -> SeverityMetrics:
    """Judge severities.

    Args:
        predicted: Predicted severities, (n,).
        actual: True severities, (n,).

    Raises:
        InputError: No patterns.
    """
    if not len(actual):
        raise InputError("there are no predictions to judge")
    told, true = predicted.double().tolist(), actual.double().tolist()
    difference = [one - other for one, other in zip(told, true, strict=True)]
    count, bias = len(true), _mean(difference)
    p, a = _centred(told), _centred(true)
    of_told, of_true, of_both = (_dot(*pair) for pair in ((p, p), (a, a), (p, a)))
    squares = _dot(difference, difference)
    around = _centred(difference)
    spread = 1.96 * math.sqrt(_dot(around, around) / (count - 1)) if count > 1 else None
    least = 1e-18 * (count - 1)
    varies = count > 1 and of_told > least and of_true > least
    return SeverityMetrics(
        mae=_mean([abs(each) for each in difference]),
        rmse=math.sqrt(squares / count),
        r2=1 - squares / of_true if of_true > 1e-9 else None,
        correlation=of_both / math.sqrt(of_told * of_true) if varies else None,
        bias=bias,
        lower_limit=None if spread is None else bias - spread,
        upper_limit=None if spread is None else bias + spread,
    )


# Sums are rounded once, exactly: they are then the same on every machine.
def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _centred(values: list[float]) -> list[float]:
    mean = _mean(values)
    return [value - mean for value in values]


def _dot(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


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
    for name, hits, labelled, told in zip(class_names, right, actual, given, strict=True):
        rates["precision"][name] = _ratio(hits, told)
        rates["recall"][name] = _ratio(hits, labelled)
        rates["specificity"][name] = _ratio(total - labelled - told + hits, total - labelled)
        rates["f1"][name] = _ratio(2 * hits, labelled + told)
    return rates


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _against_the_rest(
    area: Callable[[torch.Tensor, torch.Tensor], float | None],
    probabilities: torch.Tensor,
    label: torch.Tensor,
    class_names: tuple[str, ...],
) -> dict[str, float | None]:
    # Threshold by threshold in double precision: equal scores must stay equal, others distinct.
    scores = probabilities.double()
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
