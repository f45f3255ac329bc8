"""The comparison of runs: the same numbers for the page, the terminal and JSON."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crystalvision.config import Part
from crystalvision.evaluation import Metrics, wilson_interval
from crystalvision.models import NO_FUSION, ClassicalConfig, SystemConfig
from crystalvision.report._results import Result


@dataclass(frozen=True, slots=True)
class Row:
    """One run in the comparison.

    Attributes:
        name: Name of the run.
        path: Its folder.
        system: Its system in words.
        evaluation: Name of the evaluation.
        dataset: Path of the dataset that was judged.
        dataset_identity: Its identity.
        split: The part of it that was judged.
        trained_on_this: Whether the run was trained on that dataset.
        patterns: How many patterns were judged.
        judged_sha256: What tells which patterns they were.
        accuracy: Fraction of them whose class is right.
        accuracy_low: Lower end of its 95 % interval: Wilson's, of as many patterns as say
            as much where specimens were seen in several, which then resemble each other.
        accuracy_high: Upper end.
        macro_f1: See `crystalvision.evaluation.ClassificationMetrics`, as for the next.
        quadratic_kappa: `None` where only one class occurs.
        severity_mae: Mean absolute error of the severity.
        expected_calibration_error: Of its probabilities.
        intervals: Other intervals by metric: `macro_f1`, `quadratic_kappa`, `severity.mae`.
        severity_source: `regression` or `class_expectation`.
        images_per_second: Speed of prediction [1/s].
        device: Where it was predicted.
        training_seconds: Wall time of the training [s].
        parameters: Weights that training can change; `None` for a classical system.
    """

    name: str
    path: str
    system: str
    evaluation: str
    dataset: str
    dataset_identity: str
    split: str
    trained_on_this: bool
    patterns: int
    judged_sha256: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    quadratic_kappa: float | None
    severity_mae: float
    expected_calibration_error: float
    intervals: dict[str, tuple[float, float] | None]
    severity_source: str
    images_per_second: float
    device: str
    training_seconds: float
    parameters: int | None


_WITH_INTERVAL = ("macro_f1", "quadratic_kappa", "severity.mae")


def row_of(result: Result) -> Row:
    """The row of a run."""
    metrics = result.metrics
    low, high = _accuracy_interval(metrics)
    return Row(
        name=result.name,
        path=str(result.path),
        system=system_in_words(result.record.experiment.system),
        evaluation=result.evaluation,
        dataset=metrics.dataset,
        dataset_identity=metrics.dataset_identity,
        split=metrics.split,
        trained_on_this=metrics.trained_on_this,
        patterns=metrics.samples,
        judged_sha256=hashlib.sha256(
            np.sort(result.judged.index).astype("<i8").tobytes()
        ).hexdigest(),
        accuracy=metrics.accuracy,
        accuracy_low=low,
        accuracy_high=high,
        macro_f1=metrics.macro_f1,
        quadratic_kappa=metrics.quadratic_kappa,
        severity_mae=metrics.severity.mae,
        expected_calibration_error=metrics.expected_calibration_error,
        intervals={name: metrics.intervals.of(name) for name in _WITH_INTERVAL},
        severity_source=metrics.severity_source,
        images_per_second=metrics.images_per_second,
        device=metrics.device,
        training_seconds=result.record.training_seconds,
        parameters=result.parameters,
    )


def same_data(rows: Sequence[Row]) -> bool:
    """Whether all runs were judged on the same patterns."""
    return len({(row.dataset_identity, row.judged_sha256) for row in rows}) < 2


def _accuracy_interval(metrics: Metrics) -> tuple[float, float]:
    """Wilson's interval; evaluations of earlier versions hold one of resampling, or none."""
    intervals = metrics.intervals
    of_specimens = intervals.of("accuracy") if intervals.unit == "specimen" else None
    if of_specimens is not None:
        return of_specimens
    trials = metrics.samples if intervals.unit == "pattern" else intervals.units
    right = sum(metrics.confusion[index][index] for index in range(len(metrics.class_names)))
    return wilson_interval(right * trials / metrics.samples, trials)


def system_in_words(system: SystemConfig | ClassicalConfig) -> str:
    """A system on one line, such as "classifier: resnet18 + softmax"."""
    if isinstance(system, ClassicalConfig):
        features = " + ".join(_part(part) for part in system.features)
        return f"{_part(system.estimator)} on {features}"
    parts = [
        f"{name}: {_part(branch.backbone)} + {_part(branch.head)}"
        for name, branch in system.branches.items()
    ]
    if system.fusion.name.split(":")[-1] != NO_FUSION:
        parts.append(f"fusion {_part(system.fusion)}")
    if system.head is not None:
        parts.append(f"head {_part(system.head)}")
    return "; ".join(parts)


def _part(part: Part) -> str:
    options = ", ".join(f"{key} {value}" for key, value in part.options.items())
    return f"{part.name} ({options})" if options else part.name
