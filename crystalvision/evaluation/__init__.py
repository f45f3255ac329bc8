"""Judges trained systems: accuracy, kappa, areas under curves, agreement of severities."""

from crystalvision.evaluation._binning import Reliability, reliability
from crystalvision.evaluation._evaluate import Evaluation, choose_samples, evaluate
from crystalvision.evaluation._files import check_name, load_metrics, save
from crystalvision.evaluation._intervals import Intervals, bootstrap_intervals
from crystalvision.evaluation._metrics import (
    ClassificationMetrics,
    SeverityMetrics,
    classification_metrics,
    severity_metrics,
)
from crystalvision.evaluation._proportions import proportion_interval, wilson_interval
from crystalvision.evaluation._record import Metrics, Split

__all__ = [
    "ClassificationMetrics",
    "Evaluation",
    "Intervals",
    "Metrics",
    "Reliability",
    "SeverityMetrics",
    "Split",
    "bootstrap_intervals",
    "check_name",
    "choose_samples",
    "classification_metrics",
    "evaluate",
    "load_metrics",
    "proportion_interval",
    "reliability",
    "save",
    "severity_metrics",
    "wilson_interval",
]
