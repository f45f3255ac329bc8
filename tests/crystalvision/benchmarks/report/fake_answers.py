"""Answers of known accuracy to a test, and how they are judged, without a training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import EvaluatedEstimates, Target
from crystalvision.datasets import (
    SPECIMEN,
    Axis,
    Column,
    DatasetHeader,
    DatasetWriter,
    Match,
    Simulated,
    defect_columns,
)
from crystalvision.evaluation import (
    Intervals,
    Metrics,
    TargetMetrics,
    with_groups,
)
from crystalvision_tasks.classification import Classification
from crystalvision_tasks.regression import Regression

CLASSES = ("no_defect", "pristine", "random_displacement", "vacancies_25")
SEVERITIES = np.array([0.0, 0.3, 0.6, 0.9])
LABEL = Target(
    name="label",
    task="classification",
    classes=CLASSES,
    class_severities=tuple(SEVERITIES.tolist()),
)
SEVERITY = Target(name="severity", task="regression")
TASKS = {"label": Classification(), "severity": Regression()}
CONDITIONS = Match(
    axes="same",
    energy="same",
    run_axes=None,
    data_axes=None,
    run_energy_kev=None,
    data_energy_kev=None,
)


@dataclass
class FakeTest:
    """Patterns of a test, and where it lies."""

    label: np.ndarray
    hardness: np.ndarray
    values: np.ndarray | None = None
    specimen: np.ndarray | None = None


def draw_test(patterns: int, seed: int = 0, **columns: Any) -> FakeTest:
    rng = np.random.default_rng([seed, 7])
    return FakeTest(np.arange(patterns) % len(CLASSES), rng.random(patterns), **columns)


def draw_answers(test: FakeTest, accuracy: np.ndarray | float, rng: np.random.Generator):
    """Class probabilities (n, k) and severities (n,): hard patterns are hard for every system."""
    count = len(test.label)
    right = 0.5 * test.hardness + 0.5 * rng.random(count) < _quantile(accuracy)
    wrong = (test.label + np.where(rng.random(count) < 0.8, 1, 2)) % len(CLASSES)
    told = np.where(right, test.label, wrong)
    sure = 0.4 + 0.55 * rng.random(count)
    probabilities = np.repeat((1 - sure)[:, None] / 3, len(CLASSES), axis=1)
    probabilities[np.arange(count), told] = sure
    severity = SEVERITIES[told] + 0.08 * rng.normal(size=count)
    return probabilities, severity


def _quantile(accuracy: np.ndarray | float) -> np.ndarray:
    """Below which the mean of two uniform numbers lies with this probability."""
    p = np.asarray(accuracy, dtype=float)
    return np.where(p < 0.5, np.sqrt(p / 2), 1 - np.sqrt((1 - p) / 2))


def judge(test: FakeTest, probabilities: np.ndarray, severity: np.ndarray, regression: bool):
    truth, told = SEVERITIES[test.label], severity if regression else probabilities @ SEVERITIES
    specimen = np.arange(len(truth)) if test.specimen is None else test.specimen
    judged = with_groups(
        {
            "label": EvaluatedEstimates(
                LABEL, test.label, probabilities.argmax(axis=1), probabilities, specimen
            ),
            "severity": EvaluatedEstimates(SEVERITY, truth, told, None, specimen),
        }
    )
    intervals = Intervals(
        level=0.95,
        resamples=2,
        seed=0,
        unit="pattern" if test.specimen is None else "specimen",
        units=len(test.label),
        values={},
    )
    sources = {"label": "head", "severity": "head" if regression else "class_expectation"}
    targets = {
        name: TargetMetrics(
            **each.target.model_dump(),
            source=sources[name],
            metrics=dict(TASKS[name].metrics(each)),
            intervals=intervals,
        )
        for name, each in judged.items()
    }
    metrics = Metrics(
        dataset="datasets/beta-test.zarr",
        dataset_identity="0" * 64,
        trained_on_this=False,
        split="all",
        samples=len(test.label),
        targets=targets,
        rejected=None,
        rejected_interval=None,
        images_per_second=250.0,
        device="cpu",
        conditions=CONDITIONS,
    )
    return metrics, judged


def write_test_data(path: Path, test: FakeTest) -> None:
    """The dataset of a test: its columns, and images of nothing."""
    columns, extra = {}, {}
    if test.values is not None:
        columns["dose_electrons"] = Column(dtype="float64")
        extra["dose_electrons"] = test.values
    if test.specimen is not None:
        columns[SPECIMEN] = Column(dtype="int64", description="number of the specimen")
        extra[SPECIMEN] = test.specimen
    count = len(test.label)
    header = DatasetHeader(
        samples=count,
        image_shape=(1, 4, 4),
        dtype="uint16",
        columns={**defect_columns(CLASSES, SEVERITIES.tolist()), **columns},
        axes=tuple(Axis(name=name, size=4, scale=0.1, offset=-0.2) for name in ("q_y", "q_x")),
        provenance=Simulated(seed=2, recipe={"name": "nothing"}),
        generator={"tests": "1"},
        samples_per_shard=count,
    )
    with DatasetWriter.open(path, header) as writer:
        severity = SEVERITIES[test.label].astype(np.float32)
        labels = {"label": test.label, "severity": severity, **extra}
        writer.write_shard(0, np.zeros((count, 1, 4, 4), dtype=np.uint16), labels)
        writer.finish()
