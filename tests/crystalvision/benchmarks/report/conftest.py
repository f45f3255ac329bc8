"""Benchmark folders written by hand: systems of known accuracy, without a training."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from crystalvision.benchmarks import BenchmarkFolder, ResultRow, Suite
from crystalvision.benchmarks._test_data import write_pattern_facts
from crystalvision.benchmarks.report import write_report
from crystalvision.contracts import EvaluatedEstimates, Target
from crystalvision.datasets import (
    SPECIMEN,
    Axis,
    Column,
    Conditions,
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
    write_predictions,
)
from crystalvision.runs import DatasetRecord, PluginRecord, RunRecord
from crystalvision.sources import AccuracyBound, BoundPoint
from crystalvision.training import Experiment
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
BENCHMARKS = Path(__file__).parents[4] / "benchmarks" / "crystalvision_benchmarks"
PUBLISHED = BENCHMARKS / "published" / "alarfaj2022.json"
ENVIRONMENT = {
    "command": ["crystalvision", "benchmark", "fusion", "-o", "runs/fusion"],
    "crystalvision": "0.1.0",
    "torch": "2.11.0",
    "processor": "two cores",
}


@dataclass
class FakeSystem:
    """A system of known accuracy.

    Attributes:
        accuracy: Probability that an answer is right; by training size, or by value, if a mapping.
        regression: Whether it tells severity by regression.
        failures: Status and error by seed.
    """

    accuracy: Any = 0.8
    regression: bool = True
    failures: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    epoch_seconds: float = 1.0
    parameters: int = 10_000


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


class FakeBenchmark:
    """Writes the folder of a benchmark."""

    def __init__(self, folder: Path, fakes: Mapping[str, FakeSystem], **suite: Any) -> None:
        self.folder = folder
        self.systems = fakes
        self.rows: list[ResultRow] = []
        self.suite = Suite.model_validate(
            {
                "name": "fusion",
                "title": "Does fusing two branches help?",
                "description": "A classifier, a regressor, and what joins them.",
                "compare_with": next(iter(fakes)),
                "seeds": (0, 1, 2),
                "datasets": {
                    "beta": {
                        "recipe": "si3n4-four-classes",
                        "set": {"instrument.dose_electrons": 1e4},
                        "train": {"samples": 800, "seed": 1},
                        "test": {"samples": 400, "seed": 2},
                    }
                },
                "systems": {
                    name: {"title": name.replace("-", " "), "experiment": "quick"} for name in fakes
                },
                **suite,
            }
        )

    def run(self, name: str, seed: int, test: FakeTest, **where: Any) -> None:
        """One cell and its test."""
        place = {"trained_on": "beta", "train_patterns": 800, "tested_on": "beta", **where}
        system = self.systems[name]
        row = {"suite": "fusion", "budget": "quick", "system": name, "seed": seed, **place}
        if seed in system.failures:
            status, error = system.failures[seed]
            self.rows.append(ResultRow(**{**row, "tested_on": ""}, status=status, error=error))
            return
        key = f"{place['trained_on']}-{place['train_patterns']}-seed{seed}"
        row |= {"run": f"runs/{name}/{key}", "evaluation": place["tested_on"]}
        accuracy = self._accuracy(system, place, test)
        rng = np.random.default_rng([seed, place["train_patterns"], *map(ord, name)])
        probabilities, severity = draw_answers(test, accuracy, rng)
        metrics, judged = judge(test, probabilities, severity, system.regression)
        self._write(row["run"], row["evaluation"], seed, metrics, judged)
        row |= {
            "parameters": system.parameters,
            "training_seconds": 60.0 + seed,
            "epoch_seconds": system.epoch_seconds,
            "images_per_second": 250.0 / system.epoch_seconds,
            "device": "cpu",
        }
        accuracy = metrics.targets["label"]["accuracy"]
        self.rows.append(ResultRow(**row, patterns=len(test.label), accuracy=accuracy))
        if self.suite.by and test.values is not None:
            right = probabilities.argmax(axis=1) == test.label
            for value in np.unique(test.values):
                here = test.values == value
                self.rows.append(
                    ResultRow(
                        **row,
                        by=self.suite.by,
                        value=value,
                        patterns=int(here.sum()),
                        accuracy=float(right[here].mean()),
                    )
                )

    def finish(self) -> Path:
        """The folder, with all but the report."""
        content = yaml.safe_dump(self.suite.model_dump(mode="json"), sort_keys=False)
        (self.folder / "suite.yaml").write_text(content)
        (self.folder / "environment.json").write_text(json.dumps(ENVIRONMENT))
        names = [name for name in ResultRow.model_fields if name != "others"]
        lines = [",".join(names)]
        for row in self.rows:
            fields = row.model_dump()
            lines.append(
                ",".join("" if fields[name] is None else str(fields[name]) for name in names)
            )
        (self.folder / "results.csv").write_text("\n".join(lines) + "\n")
        return self.folder

    def bound(self, tested_on: str, points: list[dict[str, float]], column: str = "") -> None:
        bound = AccuracyBound(
            column=column,
            points=tuple(BoundPoint.model_validate(point) for point in points),
            patterns=50,
            specimens=4,
            class_names=CLASSES,
            class_shares=(1 / len(CLASSES),) * len(CLASSES),
            assumptions=("The detector counts electrons.", "The recipe is known."),
            recipe="fake",
            recipe_sha256="0" * 64,
            seconds=3.0,
        )
        (self.folder / "bounds").mkdir(exist_ok=True)
        bound.save(self.folder / "bounds" / f"{tested_on}.json")

    def _accuracy(self, system: FakeSystem, place: Mapping[str, Any], test: FakeTest):
        if not isinstance(system.accuracy, Mapping):
            return system.accuracy
        for key in (place["train_patterns"], (place["trained_on"], place["tested_on"])):
            if key in system.accuracy:
                return system.accuracy[key]
        return np.array([system.accuracy[value] for value in test.values])

    def _write(self, run, evaluation, seed, metrics, judged) -> None:
        folder = self.folder / run / "evaluations" / evaluation
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(metrics.model_dump_json())
        # What a specimen shows is told by the table beside the data.
        alone = {
            name: replace(each, specimen=np.arange(len(each))) for name, each in judged.items()
        }
        write_predictions(np.arange(metrics.samples), alone, {}, folder)
        path = self.folder / run / "run.yaml"
        path.write_text(yaml.safe_dump(fake_record(seed).model_dump(mode="json")))
        (self.folder / run / "metrics.csv").write_text("phase,epoch\n")


def fake_record(seed: int) -> RunRecord:
    branch = {"backbone": "dnsnet-tiny", "head": "softmax"}
    phase = {"name": "all", "train": ["classifier"], "epochs": 2, "learning_rate": 0.003}
    phase |= {"optimiser": "adamw", "batch_size": 16}
    return RunRecord(
        experiment=Experiment.model_validate(
            {
                "system": {"branches": {"classifier": branch}},
                "input": ["log1p", "standardise"],
                "schedule": [phase],
                "seed": seed,
            }
        ),
        dataset=DatasetRecord(
            path="datasets/beta-train.zarr",
            identity="1" * 64,
            samples=800,
            provenance=Simulated(
                source="simulation",
                seed=1,
                recipe={"name": "si3n4-four-classes", "instrument": {"dose_electrons": 1e4}},
            ),
        ),
        targets={"label": LABEL, "severity": SEVERITY},
        image_shape=(1, 32, 32),
        calibration=(),
        conditions=Conditions(),
        plugins=(
            PluginRecord(
                kind="backbone", name="dnsnet-tiny", distribution="crystalvision", version="0.1.0"
            ),
        ),
        phases=(),
        training_seconds=60.0,
        device="cpu",
        environment={"python": "3.12.0", "crystalvision": "0.1.0", "torch": "2.11.0"},
    )


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


@pytest.fixture(scope="session")
def fusion_folder(tmp_path_factory, catalogue):
    """A benchmark of one comparison, with its report; tests that change it must copy it."""
    folder = tmp_path_factory.mktemp("benchmark") / "fusion"
    folder.mkdir()
    systems = {
        "classifier": FakeSystem(0.85, regression=False),
        "regressor": FakeSystem(0.7, parameters=9_000, epoch_seconds=0.8),
        "concat": FakeSystem(0.93, parameters=21_000, epoch_seconds=2.1),
        "gated-fusion-of-both-branches": FakeSystem(0.85, parameters=25_000, epoch_seconds=2.5),
        "bilinear": FakeSystem(0.9, failures={1: ("diverged", "the loss is not finite")}),
        "broken": FakeSystem(
            failures=dict.fromkeys(range(3), ("failed", "plugin 'mine' cannot be imported"))
        ),
    }
    plans = {name: {"title": name.replace("-", " "), "experiment": "quick"} for name in systems}
    plans["classifier"]["published"] = "dnsnet"
    plans["concat"]["published"] = "dnsnet+regression"
    claims = {
        "fusion helps": "concat",
        "a regressor alone is better": "regressor",
        "gating helps": "gated-fusion-of-both-branches",
        "what is broken is better": "broken",
    }
    fake = FakeBenchmark(
        folder,
        systems,
        systems=plans,
        published="alarfaj2022.json",
        compare_with="classifier",
        claims=[
            {"text": text, "system": name, "than": "classifier"} for text, name in claims.items()
        ],
    )
    test = draw_test(400)
    for name in systems:
        for seed in fake.suite.seeds:
            fake.run(name, seed, test)
    fake.bound("beta", [_point(None, 0.975)])
    shutil.copy(PUBLISHED, folder)
    write_report(fake.finish(), catalogue)
    return folder


@pytest.fixture(scope="session")
def dose_folder(tmp_path_factory, catalogue):
    """A benchmark along dose and training size, whose test has several patterns a specimen."""
    folder = tmp_path_factory.mktemp("benchmark") / "dose"
    folder.mkdir()
    doses = (1e3, 1e4, 1e5)
    systems = {
        "concat": FakeSystem({400: 0.6, **dict(zip(doses, (0.5, 0.75, 0.95), strict=True))}),
        "classifier": FakeSystem({400: 0.6, **dict(zip(doses, (0.45, 0.7, 0.9), strict=True))}),
    }
    fake = FakeBenchmark(folder, systems, by="dose_electrons")
    values = np.repeat(doses, 80)
    test = draw_test(240, values=values, specimen=np.arange(240) // 4)
    for name in systems:
        for size in (400, 800):
            for seed in fake.suite.seeds:
                fake.run(name, seed, test, train_patterns=size)
    fake.bound(
        "beta",
        # Values of a column of single precision are not quite the recipe's.
        [
            _point(dose * (1 + 1e-8), upper)
            for dose, upper in zip(doses, (0.7, 0.9, 0.99), strict=True)
        ],
        column="dose_electrons",
    )
    (folder / "datasets").mkdir()
    write_test_data(folder / "datasets" / "beta-test.zarr", test)
    write_pattern_facts(BenchmarkFolder(folder), "beta", "dose_electrons")
    write_report(fake.finish(), catalogue)
    return folder


def _point(value: float | None, upper: float) -> dict[str, Any]:
    return {
        "value": value,
        "upper": upper,
        "upper_low": upper - 0.01,
        "upper_high": min(1.0, upper + 0.01),
        "informed": upper - 0.03,
        "informed_low": upper - 0.04,
        "informed_high": upper - 0.02,
    }


@pytest.fixture(scope="session")
def fake_benchmark():
    """What writes a benchmark's folder."""
    return FakeBenchmark, FakeSystem, draw_test


@pytest.fixture(scope="session")
def fake_test_data():
    """What writes the dataset of a test, and what draws one."""
    return write_test_data, draw_test
