"""A stranger's task, in one file: in metrics, predictions, the report and the benchmark's table."""

import csv
import json
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
import yaml

from crystalvision.benchmarks import Suite, collect, write_table
from crystalvision.benchmarks.report import write_report
from crystalvision.contracts import Axis
from crystalvision.datasets import Column, Dataset, DatasetHeader, DatasetWriter, Simulated
from crystalvision.errors import PluginError
from crystalvision.evaluation import evaluate, load_metrics, read_predictions, save
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.report import load_results, render
from crystalvision.runs import Run, train_run
from crystalvision.training import Experiment

PLUGIN = '''
    import torch
    from torch import nn

    from crystalvision import hookimpl
    from crystalvision.contracts import Estimate, Head, Task, TaskFigure
    from crystalvision.figures import new_figure


    class TurnHead(Head):
        """The cosine and the sine of an angle."""

        def __init__(self, num_features: int, target: str = "turn_degree") -> None:
            super().__init__()
            self.targets = (target,)
            self.linear = nn.Linear(num_features, 2)

        def forward(self, features):
            return self.linear(features)

        def loss(self, outputs, targets):
            angle = torch.deg2rad(targets[self.targets[0]])
            return (outputs - torch.stack([angle.cos(), angle.sin()], dim=1)).square().mean()

        def predict(self, outputs):
            angle = torch.rad2deg(torch.atan2(outputs[:, 1], outputs[:, 0])) % 360
            return {self.targets[0]: Estimate(angle)}


    class Turn(Task):
        """Angles that are the same after a whole turn."""

        score_name = "turn_error"
        higher_is_better = False
        in_units = frozenset({"turn_error", "greatest"})

        def check(self, target):
            pass

        def score(self, estimate, truth, target):
            return ((estimate.value - truth + 180) % 360 - 180).abs()

        def metrics(self, judged):
            errors = self.scores(judged)
            return {"greatest": float(errors.max()), "turn_error": float(errors.mean())}

        def columns(self, judged):
            return {"error": self.scores(judged)}

        def figures(self, judged, metrics):
            figure, (axes,) = new_figure()
            axes.hist(self.scores(judged))
            return [TaskFigure("errors", "How far angles are from the truth.", figure)]


    @hookimpl
    def crystalvision_heads():
        return {"turn": TurnHead}


    @hookimpl
    def crystalvision_tasks():
        return {"turn": Turn}
'''


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A catalogue with the stranger's file, and the file."""
    path = tmp_path_factory.mktemp("stranger") / "turns.py"
    path.write_text(dedent(PLUGIN))
    return Catalogue.load(PluginSelection((path,)))


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    """Curves with a peak whose place tells an angle, along an axis of their own."""
    header = DatasetHeader(
        samples=80,
        image_shape=(1, 64),
        dtype="uint16",
        columns={"turn_degree": Column(dtype="float32", units="degree", task="turn")},
        axes=(Axis(name="two_theta", size=64, scale=0.5, offset=10.0, units="degree"),),
        provenance=Simulated(seed=0, recipe={"name": "turns"}),
        generator={"tests": "1"},
        samples_per_shard=40,
    )
    path, rng = tmp_path_factory.mktemp("curves") / "turns.zarr", np.random.default_rng(0)
    turn = rng.uniform(0, 360, 80).astype(np.float32)
    peaks = np.exp(-(((np.arange(64) - 8 - turn[:, None] / 7.5) / 2) ** 2) / 2)
    counts = rng.poisson(50 * peaks + 1)[:, None].astype(np.uint16)
    with DatasetWriter.open(path, header) as writer:
        for shard in writer.missing_shards():
            rows = np.asarray(writer.shard_indices(shard))
            writer.write_shard(shard, counts[rows], {"turn_degree": turn[rows]})
        writer.finish()
    return Dataset.open(path)


def experiment(seed: int) -> Experiment:
    phase = {"name": "all", "train": ["turn"], "epochs": 2, "learning_rate": 0.01}
    phase |= {"optimiser": "adamw", "batch_size": 16, "monitor": "validation_turn_error"}
    branches = {"turn": {"backbone": "xrdnet", "head": "turn"}}
    described = {"system": {"branches": branches}, "input": ["log1p", "standardise"]}
    described |= {"schedule": [phase], "seed": seed}
    return Experiment.model_validate(described)


@pytest.fixture(scope="module")
def folder(curves, parts, tmp_path_factory):
    """A benchmark of two systems that are one, with two seeds each, put together by hand."""
    folder = tmp_path_factory.mktemp("benchmark")
    suite = Suite.model_validate(
        {
            "name": "turns",
            "title": "Which way?",
            "description": "Angles from curves.",
            "compare_with": "first",
            "seeds": (0, 1),
            "datasets": {
                "turns": {
                    "recipe": "turns",
                    "train": {"samples": 80, "seed": 0},
                    "test": {"samples": 80, "seed": 1},
                }
            },
            "systems": {name: {"experiment": "turn"} for name in ("first", "second")},
        }
    )
    content = yaml.safe_dump(suite.model_dump(mode="json"), sort_keys=False)
    (folder / "suite.yaml").write_text(content)
    (folder / "environment.json").write_text("{}")
    for number, system in enumerate(("first", "second")):
        for seed in (0, 1):
            path = folder / "runs" / system / f"turns-80-seed{seed}"
            path.parent.mkdir(parents=True, exist_ok=True)
            run = train_run(experiment(10 * number + seed), curves, path, catalogue=parts)
            save(evaluate(run, curves, catalogue=parts, resamples=20), path, "turns")
    return folder


@pytest.fixture(scope="module")
def evaluation(folder):
    return folder / "runs/first/turns-80-seed0/evaluations/turns"


def test_metrics_have_a_part_for_it(evaluation, curves):
    told = json.loads((evaluation / "metrics.json").read_text())["targets"]["turn_degree"]
    assert (told["task"], told["units"]) == ("turn", "degree")
    assert list(told["metrics"]) == ["turn_error", "greatest"]
    low, high = told["intervals"]["values"]["turn_error"]
    assert low < told["metrics"]["turn_error"] < high
    assert set(told["intervals"]["values"]) == {"turn_error"}


def test_predictions_have_its_columns_and_read_back(evaluation, curves):
    with (evaluation / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["index", "turn_degree", "turn_degree_predicted", "turn_degree_error"]
    metrics = load_metrics(evaluation)
    judged = read_predictions(evaluation, metrics)
    truth = judged.targets["turn_degree"].truth
    assert truth == pytest.approx(curves.column("turn_degree")[judged.index], rel=1e-5)
    errors = [float(row["turn_degree_error"]) for row in rows]
    assert np.mean(errors) == pytest.approx(metrics.main["turn_error"], rel=1e-4)


def test_the_report_shows_its_figure_and_the_curves(folder, parts):
    path = folder / "runs/first/turns-80-seed0"
    (result,) = load_results([path], parts)
    page = render([result])
    assert "How far angles are from the truth." in page
    assert "turn error [°]" in page
    assert "Patterns against 2θ; highest mean" in page
    assert "80 patterns of 1×64 values (channels × two_theta)" in " ".join(page.split())
    assert "Patterns by class" not in page


def test_the_table_of_a_benchmark_has_its_metrics(folder, parts):
    rows = collect(folder, parts)
    write_table(rows, folder)
    metrics = load_metrics(folder / rows[0].run / "evaluations/turns")
    assert rows[0].others["turn_degree.turn_error"] == metrics.main["turn_error"]
    assert rows[0].accuracy is None
    table = pd.read_parquet(folder / "results.parquet")
    assert (table["turn_degree.greatest"] > table["turn_degree.turn_error"]).all()
    write_report(folder, parts)
    page, text = ((folder / name).read_text() for name in ("report.html", "results.md"))
    assert "the lowest mean turn turn error [°]" in page
    assert "paired permutation test" in page
    assert "How turn is told" in page
    assert "| system | seeds | turn turn error [°] |" in text


def test_a_task_that_breaks_its_contract_is_named(folder, curves, parts, monkeypatch):
    run = Run.load(folder / "runs/first/turns-80-seed0", parts)
    task = parts.entry("task", "turn").load()
    monkeypatch.setattr(task, "metrics", lambda self, judged: {"greatest": float("nan")})
    with pytest.raises(PluginError, match=r"task 'turn'.*gave what JSON cannot hold"):
        evaluate(run, curves, catalogue=parts, resamples=2)
    monkeypatch.setattr(task, "metrics", lambda self, judged: {"greatest": 1.0})
    with pytest.raises(PluginError, match="gave turn_error=None; expected a number"):
        evaluate(run, curves, catalogue=parts, resamples=2)
