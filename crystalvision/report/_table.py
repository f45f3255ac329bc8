"""The comparison of runs: the same numbers for the page, the terminal and JSON."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crystalvision.config import Part
from crystalvision.contracts import Ends
from crystalvision.models import NO_FUSION, ClassicalConfig, SystemConfig
from crystalvision.report._results import Result


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """A metric in the comparison.

    Attributes:
        key: `TARGET.METRIC`, as in a row.
        title: What tables call it.
        is_score: Whether it is the score of its target.
    """

    key: str
    title: str
    is_score: bool


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
        metrics: The headline of each target, by `TARGET.METRIC`; `None` where it has no meaning.
        intervals: Their 95 % intervals, where there are some.
        sources: Where the estimates of each target come from: `head`, `class_expectation`, ….
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
    metrics: dict[str, float | None]
    intervals: dict[str, Ends | None]
    sources: dict[str, str]
    images_per_second: float
    device: str
    training_seconds: float
    parameters: int | None


def row_of(result: Result) -> Row:
    """The row of a run."""
    metrics = result.metrics
    shown = [(evaluated, name) for evaluated, task, _ in result.targets for name in task.shown]
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
        metrics={
            f"{evaluated.name}.{name}": evaluated.metrics.get(name) for evaluated, name in shown
        },
        intervals={
            f"{evaluated.name}.{name}": evaluated.intervals.of(name) for evaluated, name in shown
        },
        sources={name: each.source for name, each in metrics.targets.items()},
        images_per_second=metrics.images_per_second,
        device=metrics.device,
        training_seconds=result.record.training_seconds,
        parameters=result.parameters,
    )


def columns_of(results: Sequence[Result]) -> list[MetricColumn]:
    """The metrics that a comparison shows: those of the main target first, in plain words."""
    found: dict[str, MetricColumn] = {}
    for result in results:
        for evaluated, task, _ in result.targets:
            of = "" if evaluated.name == result.metrics.main.name else f"{evaluated.words} "
            for name in task.shown:
                key = f"{evaluated.name}.{name}"
                title = of + task.title(name, evaluated)
                found.setdefault(key, MetricColumn(key, title, name == task.score_name))
    return list(found.values())


def same_data(rows: Sequence[Row]) -> bool:
    """Whether all runs were judged on the same patterns."""
    return len({(row.dataset_identity, row.judged_sha256) for row in rows}) < 2


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
