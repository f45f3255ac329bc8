"""Results for each value of a column of the test data, from the predictions that a run left."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from jaxtyping import Float

from crystalvision.errors import InputError
from crystalvision.evaluation import (
    ClassificationMetrics,
    Metrics,
    SeverityMetrics,
    classification_metrics,
    severity_metrics,
)
from crystalvision.storage import read_text
from crystalvision.text import csv_reader


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
    evaluation: Path, metrics: Metrics, column: Float[np.ndarray, "n"]
) -> list[ValueMetrics]:
    """The numbers for each value of a column, ascending.

    Args:
        evaluation: Folder of the evaluation.
        metrics: Its numbers.
        column: Value of each pattern of the test data, (n,).

    Raises:
        InputError: A file is missing.
    """
    import torch

    rows = _read(evaluation / "predictions.csv")
    names = [f"probability_{name}" for name in metrics.class_names]
    table = np.array([[float(row[name]) for name in names] for row in rows], dtype=np.float32)
    label = np.array([int(row["label"]) for row in rows])
    severity, told = (
        np.array([float(row[name]) for row in rows], dtype=np.float32)
        for name in ("severity", "predicted_severity")
    )
    values = column[[int(row["index"]) for row in rows]]
    return [
        ValueMetrics(
            value=float(value),
            patterns=int(here.sum()),
            classification=classification_metrics(
                torch.from_numpy(table[here]), torch.from_numpy(label[here]), metrics.class_names
            ),
            severity=severity_metrics(
                torch.from_numpy(told[here]), torch.from_numpy(severity[here])
            ),
        )
        for value in np.unique(values)
        for here in [values == value]
    ]


def _read(path: Path) -> list[dict[str, str]]:
    try:
        return csv_reader(StringIO(read_text(path), newline="")).mappings()
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing: delete its folder, and go on with --resume"
        ) from error
