"""Judges trained systems: accuracy, kappa, areas under curves, agreement of severities."""

from crystalvision.evaluation._evaluate import (
    Evaluation,
    Metrics,
    Split,
    choose_samples,
    evaluate,
    load_metrics,
    save,
)
from crystalvision.evaluation._metrics import (
    ClassificationMetrics,
    SeverityMetrics,
    classification_metrics,
    severity_metrics,
)

__all__ = [
    "ClassificationMetrics",
    "Evaluation",
    "Metrics",
    "SeverityMetrics",
    "Split",
    "choose_samples",
    "classification_metrics",
    "evaluate",
    "load_metrics",
    "save",
    "severity_metrics",
]
