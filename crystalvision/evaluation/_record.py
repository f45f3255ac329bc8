"""What `metrics.json` holds."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from crystalvision.config import Config
from crystalvision.contracts import Ends, Target
from crystalvision.datasets import Match
from crystalvision.errors import InputError
from crystalvision.evaluation._by_specimen import SpecimenScore
from crystalvision.evaluation._flags import Flagged
from crystalvision.evaluation._intervals import Intervals
from crystalvision.runs import SubsetRecord

Split = Literal["train", "validation", "test", "all"]
LABEL = "label"


class EvaluatedTarget(Target):
    """A target, and how its estimates came about.

    Attributes:
        source: Where the estimates come from: `head`, `class_expectation` for a severity that is
            the mean of the classes' severities, weighted by their probabilities, and so on.
        temperature: What the probabilities were calibrated with; `None` where they are as the
            system gave them, or where there are none.
    """

    source: str = "head"
    temperature: float | None = None

    @property
    def target(self) -> Target:
        """The target alone."""
        return Target(**{name: getattr(self, name) for name in Target.model_fields})


class TargetMetrics(EvaluatedTarget):
    """How well one target is told: its part of `metrics.json`.

    Attributes:
        metrics: The numbers, as the task of the target gives them: by name, those of classes as a
            mapping.
        intervals: Their confidence intervals.
    """

    metrics: dict[str, Any]
    intervals: Intervals

    def __getitem__(self, name: str) -> Any:
        """A metric: `accuracy`, or `recall.pristine` for that of a class."""
        metric, _, of = name.partition(".")
        return self.metrics[metric][of] if of else self.metrics[metric]

    def numbers(self) -> dict[str, float | None]:
        """Every metric that is one number, by name; those of classes as `METRIC.CLASS`."""
        return numbers_of(self.metrics)


def numbers_of(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Every metric that is one number, by name; those of classes as `METRIC.CLASS`."""
    found: dict[str, float | None] = {}
    for name, value in metrics.items():
        inner = value if isinstance(value, Mapping) else {"": value}
        for of, number in inner.items():
            if number is None or isinstance(number, int | float):
                found[f"{name}.{of}".removesuffix(".")] = number
    return found


class Metrics(Config):
    """What `metrics.json` holds.

    Attributes:
        dataset: Path of the dataset.
        dataset_identity: Its identity.
        trained_on_this: Whether the run was trained on this very dataset.
        split: The part of it that was judged.
        samples: How many patterns.
        subset: Which samples of the dataset there were to judge, if not all.
        targets: How well each target is told, by name.
        rejected: Share of the patterns that are flagged as unlike the training data; `None`
            without calibration.
        rejected_interval: Its interval.
        flagged: Of all patterns, and of those told rightly and wrongly, how many are undecided or
            rejected; `None` where the run cannot flag, or no target is one class a pattern.
        images_per_second: Speed of preparing and predicting, without reading.
        device: Where it was predicted: `cpu` or `cuda`.
        conditions: How axes and beam of the patterns compare with what the run was trained on, and
            what was done.
        specimens: How well whole specimens are told, for each class that all patterns of one
            share; empty where each pattern shows its own.
    """

    dataset: str
    dataset_identity: str
    trained_on_this: bool
    split: Split
    samples: int
    subset: SubsetRecord | None = None
    targets: dict[str, TargetMetrics]
    rejected: float | None
    rejected_interval: Ends | None
    flagged: Flagged | None = None
    images_per_second: float
    device: str
    conditions: Match
    specimens: tuple[SpecimenScore, ...] = ()

    @property
    def main(self) -> TargetMetrics:
        """The target that tables begin with: see `main_target`."""
        return self.targets[main_target(self.targets)]


def main_target(names: Iterable[str], wanted: str = "", where: str = "") -> str:
    """The target that a comparison is about: the wanted one, or `label`, or the only one, or first.

    Raises:
        InputError: The wanted one is none of them.
    """
    known = list(names)
    if wanted and wanted not in known:
        raise InputError(
            f"{where}target '{wanted}' is not judged; there is: {', '.join(known) or 'none'}"
        )
    return wanted or (LABEL if LABEL in known else known[0])
