"""What `metrics.json` holds."""

from typing import Literal

from crystalvision.datasets import Match
from crystalvision.evaluation._intervals import Intervals
from crystalvision.evaluation._metrics import ClassificationMetrics, SeverityMetrics

Split = Literal["train", "validation", "test", "all"]


class Metrics(ClassificationMetrics):
    """What `metrics.json` holds: how well classes are told, and what follows.

    Attributes:
        dataset: Path of the dataset.
        dataset_identity: Its identity.
        trained_on_this: Whether the run was trained on this very dataset.
        split: The part of it that was judged.
        samples: How many patterns.
        class_names: Names of the classes.
        severity: How well severity is told.
        severity_source: `regression` or `class_expectation`: see `Predictions`.
        intervals: Confidence intervals of the numbers.
        temperature: What the probabilities were calibrated with; `None` where they are as the
            system gave them.
        rejected: Share of the patterns that are flagged as unlike the training data; `None`
            without calibration.
        images_per_second: Speed of preparing and predicting, without reading.
        device: Where it was predicted: `cpu` or `cuda`.
        calibration_error_by_chance: The expected calibration error that a perfectly calibrated
            system would show on so few patterns.
        conditions: How axes and beam of the patterns compare with what the run was trained on, and
            what was done; `None` in evaluations of earlier versions.
    """

    dataset: str
    dataset_identity: str
    trained_on_this: bool
    split: Split
    samples: int
    class_names: tuple[str, ...]
    severity: SeverityMetrics
    severity_source: Literal["regression", "class_expectation"]
    intervals: Intervals
    temperature: float | None
    rejected: float | None
    images_per_second: float
    device: str
    calibration_error_by_chance: float | None = None
    conditions: Match | None = None
