"""Results for each value of a column of the test data, from the predictions that a run left."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crystalvision.evaluation import (
    ClassificationMetrics,
    SeverityMetrics,
    classification_metrics,
    severity_metrics,
)
from crystalvision.report import Judged


@dataclass(frozen=True, slots=True)
class ValueMetrics:
    """The numbers of the patterns that have one value in the column.

    Attributes:
        value: The value.
        patterns: How many patterns have it.
        classification: How well their classes are told.
        severity: How well their severities are told.
    """

    value: float
    patterns: int
    classification: ClassificationMetrics
    severity: SeverityMetrics


def metrics_by_value(
    judged: Judged, class_names: tuple[str, ...], column: Float[np.ndarray, "n"]
) -> list[ValueMetrics]:
    """The numbers for each value of a column, ascending.

    Args:
        judged: Predictions of patterns of the test data.
        class_names: Names of the classes.
        column: Value of each pattern of the test data, (n,).
    """
    import torch

    table = judged.probabilities.astype(np.float32)
    told, severity = (
        each.astype(np.float32) for each in (judged.predicted_severity, judged.severity)
    )
    values = column[judged.index]
    return [
        ValueMetrics(
            value=float(value),
            patterns=int(here.sum()),
            classification=classification_metrics(
                torch.from_numpy(table[here]), torch.from_numpy(judged.label[here]), class_names
            ),
            severity=severity_metrics(
                torch.from_numpy(told[here]), torch.from_numpy(severity[here])
            ),
        )
        for value in np.unique(values)
        for here in [values == value]
    ]
