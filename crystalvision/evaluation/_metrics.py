"""Numbers that judge predictions.

torchmetrics takes seconds to import, so it is imported when there is something to judge.
"""

import math
from typing import Any, Literal

import torch
from jaxtyping import Float, Int

from crystalvision.config import Config
from crystalvision.errors import InputError


class ClassificationMetrics(Config):
    """How well classes are told.

    "Macro" is the plain mean over the classes that occur, as label or as prediction.

    Attributes:
        accuracy: Fraction of patterns whose class is right.
        error_rate: Fraction whose class is wrong.
        macro_f1: Macro mean of the harmonic mean of precision and recall.
        macro_precision: Macro mean of right predictions among all predictions of a class.
        macro_recall: Macro mean of right predictions among all patterns of a class (sensitivity).
        macro_specificity: Macro mean of patterns rightly not given a class among all not of it.
        quadratic_kappa: Cohen's kappa with quadratic weights; `None` where only one class occurs.
        macro_auc: Mean of `auc` over the classes that have one; `None` where none has.
        auc: Area under the ROC curve of each class against the rest; `None` where a class, or the
            rest, does not occur.
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
    auc: dict[str, float | None]
    confusion: tuple[tuple[int, ...], ...]


class SeverityMetrics(Config):
    """How well severity is told; differences are predicted minus true.

    Attributes:
        mae: Mean absolute difference.
        rmse: Root of the mean squared difference.
        correlation: Pearson's correlation; `None` where predictions or truth do not vary.
        bias: Mean difference (Bland & Altman 1986, Lancet 327, 307).
        lower_limit: `bias` minus 1.96 standard deviations of the differences.
        upper_limit: `bias` plus the same; `None`, as the lower one, for a single pattern.
    """

    mae: float
    rmse: float
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
    aucs = {name: _auc(probabilities[:, k], label == k) for k, name in enumerate(class_names)}
    known = [value for value in aucs.values() if value is not None]
    confusion = tm.multiclass_confusion_matrix(predicted, label, count)
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
        macro_auc=sum(known) / len(known) if known else None,
        auc=aucs,
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
    predicted, actual = predicted.double(), actual.double()
    difference = predicted - actual
    bias = float(difference.mean())
    spread = 1.96 * float(difference.std()) if len(difference) > 1 else None
    varies = len(difference) > 1 and float(predicted.std()) > 1e-9 and float(actual.std()) > 1e-9
    return SeverityMetrics(
        mae=float(difference.abs().mean()),
        rmse=math.sqrt(float(difference.square().mean())),
        correlation=float(torch.corrcoef(torch.stack([predicted, actual]))[0, 1])
        if varies
        else None,
        bias=bias,
        lower_limit=None if spread is None else bias - spread,
        upper_limit=None if spread is None else bias + spread,
    )


def _auc(score: torch.Tensor, positive: torch.Tensor) -> float | None:
    if bool(positive.all()) or not bool(positive.any()):
        return None
    from torchmetrics.functional import classification as tm

    # Threshold by threshold in double precision: equal scores must stay equal, others distinct.
    return float(tm.binary_auroc(score.double(), positive.long()))


def _macro(metric: Any, predicted: torch.Tensor, label: torch.Tensor, count: int) -> float:
    average: Literal["none"] = "none"
    values = metric(predicted, label, count, average=average)
    occurs = torch.unique(torch.cat([label, predicted]))
    return float(values[occurs].double().mean())
