"""Numbers that the page shows and an evaluation does not hold."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.evaluation import Metrics
from crystalvision.report._results import Judged


def roc_curve(
    score: Float[np.ndarray, "n"], positive: Bool[np.ndarray, "n"]
) -> tuple[Float[np.ndarray, "t"], Float[np.ndarray, "t"]]:
    """False and true positive rate at every threshold, from (0, 0) to (1, 1).

    Args:
        score: Higher where the class is more probable, (n,).
        positive: Which patterns are of the class, (n,); some must be, and some not.
    """
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], positive[order]
    # Patterns of one score pass the threshold together.
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(hits)[last] / hits.sum()
    false = np.cumsum(~hits)[last] / (~hits).sum()
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How well one class is told; `None` where a number has no meaning.

    Attributes:
        name: Its name.
        patterns: Judged patterns of this class.
        precision: Right predictions among all predictions of the class.
        recall: Right predictions among all patterns of the class.
        specificity: Patterns of other classes that are not given this one.
        f1: Harmonic mean of precision and recall.
        auc: Area under the ROC curve of the class against the rest.
        severity_mae: Mean absolute error of the severity of its patterns.
    """

    name: str
    patterns: int
    precision: float | None
    recall: float | None
    specificity: float | None
    f1: float | None
    auc: float | None
    severity_mae: float | None


def class_rows(metrics: Metrics, judged: Judged) -> list[ClassRow]:
    """One row for each class."""
    counts = np.asarray(metrics.confusion)
    error = np.abs(judged.predicted_severity - judged.severity)
    rows = []
    for index, name in enumerate(metrics.class_names):
        actual, given = int(counts[index].sum()), int(counts[:, index].sum())
        right, total = int(counts[index, index]), int(counts.sum())
        here = error[judged.label == index]
        rows.append(
            ClassRow(
                name=name,
                patterns=actual,
                precision=_ratio(right, given),
                recall=_ratio(right, actual),
                specificity=_ratio(total - actual - given + right, total - actual),
                f1=_ratio(2 * right, actual + given),
                auc=metrics.auc.get(name),
                severity_mae=float(here.mean()) if len(here) else None,
            )
        )
    return rows


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
