"""The folder of a benchmark, written by hand: systems of known accuracy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from crystalvision.benchmarks import ResultRow, Suite
from crystalvision.datasets import (
    Conditions,
    Simulated,
)
from crystalvision.evaluation import (
    write_predictions,
)
from crystalvision.runs import DatasetRecord, PluginRecord, RunRecord
from crystalvision.sources import AccuracyBound, BoundPoint
from crystalvision.training import Experiment

from .fake_answers import CLASSES, LABEL, SEVERITY, FakeTest, draw_answers, judge

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
