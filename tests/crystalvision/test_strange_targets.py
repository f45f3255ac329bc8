"""Two strangers' heads, one file each: orientations under a symmetry, and maps of domains.

Their targets are columns of a dataset that has neither a label nor a severity. Nothing in the core
knows of them.
"""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from crystalvision.benchmarks import Suite, collect, keep_runs, write_table
from crystalvision.benchmarks.report import write_report
from crystalvision.cli import main
from crystalvision.datasets import Axis, Column, Dataset, DatasetHeader, DatasetWriter, Simulated
from crystalvision.errors import InputError, PluginError
from crystalvision.evaluation import evaluate, save
from crystalvision.export import export_run
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.prediction import Ensemble, Predictor
from crystalvision.runs import Run, train_run
from crystalvision.testing.battery import CHECKS, PluginUnderTest, run_battery
from crystalvision.training import Experiment
from crystalvision.yaml_text import dump_yaml

ORIENTATION = '''
"""Orientations as unit quaternions (w, x, y, z)."""

import torch
from torch import nn

from crystalvision import hookimpl
from crystalvision.contracts import Estimate, Head, proper_rotations


class OrientationHead(Head):
    """A unit quaternion; the loss is one minus the squared cosine of half the misorientation."""

    def __init__(self, num_features: int, targets: dict, target: str = "orientation") -> None:
        super().__init__()
        self.targets = (target,)
        self.linear = nn.Linear(num_features, 4)
        group = torch.from_numpy(proper_rotations(targets[target].symmetry).copy()).float()
        self.register_buffer("group", group, persistent=False)

    def forward(self, features):
        return self.linear(features)

    def loss(self, outputs, targets):
        told = nn.functional.normalize(outputs, dim=1)
        w, x, y, z = targets[self.targets[0]][:, None].unbind(-1)  # each (b, 1)
        a, b, c, d = self.group.unbind(-1)  # each (g,)
        equal = torch.stack(
            [
                w * a - x * b - y * c - z * d,
                w * b + x * a + y * d - z * c,
                w * c - x * d + y * a + z * b,
                w * d + x * c - y * b + z * a,
            ],
            dim=-1,
        )
        cosines = (equal * told[:, None]).sum(-1)
        return (1 - cosines.square().amax(1)).mean()

    def predict(self, outputs):
        return {self.targets[0]: Estimate(nn.functional.normalize(outputs, dim=1))}


@hookimpl
def crystalvision_heads():
    return {"orientation": OrientationHead}
'''
DOMAINS = '''
"""Maps of classes, from the feature map."""

from torch import nn

from crystalvision import hookimpl
from crystalvision.contracts import Estimate, Head


class DomainsHead(Head):
    """A score of each class at each point of the feature map, as large as the target's map."""

    reads = "map"

    def __init__(
        self, num_features: int, num_classes: int, targets: dict, target: str = "domains"
    ) -> None:
        super().__init__()
        self.targets = (target,)
        self.size = targets[target].shape
        self.scores = nn.Conv2d(num_features, num_classes, 1)

    def forward(self, features):
        scores = self.scores(features)
        return nn.functional.interpolate(scores, self.size, mode="bilinear", align_corners=False)

    def loss(self, outputs, targets):
        return nn.functional.cross_entropy(outputs, targets[self.targets[0]])

    def predict(self, outputs):
        return {self.targets[0]: Estimate.of_classes(outputs.softmax(1))}


@hookimpl
def crystalvision_heads():
    return {"domains": DomainsHead}
'''
SAMPLES, SIZE = 48, 16


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    for name, source in (("orientation", ORIENTATION), ("domains", DOMAINS)):
        (folder / f"{name}_head.py").write_text(source)
    return {name: folder / f"{name}_head.py" for name in ("orientation", "domains")}


@pytest.fixture(scope="module")
def catalogue(strangers):
    return Catalogue.load(PluginSelection(tuple(strangers.values()), frozenset()))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Streaks whose direction is the orientation, over two domains, of some thickness."""
    path = tmp_path_factory.mktemp("data") / "streaks.zarr"
    header = DatasetHeader(
        samples=SAMPLES,
        image_shape=(1, SIZE, SIZE),
        dtype="uint16",
        columns={
            "orientation": Column(dtype="float32", shape=(4,), task="orientation", symmetry="m-3m"),
            "domains": Column(dtype="int64", shape=(SIZE, SIZE), classes=("matrix", "twin")),
            "thickness_angstrom": Column(dtype="float32", units="angstrom"),
        },
        axes=tuple(
            Axis(name=name, size=SIZE, scale=0.5, offset=0.0, units="angstrom")
            for name in ("y", "x")
        ),
        provenance=Simulated(seed=0, recipe={"name": "streaks"}),
        generator={"tests": "1"},
        samples_per_shard=SAMPLES,
    )
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi / 4, SAMPLES)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    along = x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]
    domains = (x[None] > rng.integers(-4, 4, SAMPLES)[:, None, None]).astype(np.int64)
    thickness = rng.uniform(100, 300, SAMPLES)
    mean = (20 + 15 * np.cos(along) + 30 * domains) * thickness[:, None, None] / 200
    zeros = np.zeros(SAMPLES)
    columns = {
        "orientation": np.stack(
            [np.cos(angle / 2), zeros, zeros, np.sin(angle / 2)], axis=1
        ).astype(np.float32),
        "domains": domains,
        "thickness_angstrom": thickness.astype(np.float32),
    }
    with DatasetWriter.open(path, header) as writer:
        writer.write_shard(0, rng.poisson(mean)[:, None].astype(np.uint16), columns)
        writer.finish()
    return Dataset.open(path)


def describe(heads, **branch):
    branches = {
        name: {"backbone": "dnsnet-tiny", "head": head, **branch} for name, head in heads.items()
    }
    phase = {"batch_size": 8, "optimiser": "adamw", "learning_rate": 0.003, "epochs": 1}
    return {
        "system": {"branches": branches},
        "input": ["log1p", "standardise"],
        "schedule": [{**phase, "name": name, "train": [name]} for name in heads],
    }


def train(head, target, data, catalogue, path):
    described = describe({"eye": head})
    described["schedule"][0]["monitor"] = f"validation_{target}"
    return train_run(Experiment.model_validate(described), data, path, catalogue=catalogue)


CASES = [
    ("orientation", "orientation_misorientation_deg", "orientation"),
    ("domains", "domains_sample_iou", "domains"),
    (
        {"name": "regression", "target": "thickness_angstrom"},
        "thickness_angstrom_mae",
        "thickness_angstrom",
    ),
]


@pytest.mark.parametrize(("head", "score", "target"), CASES)
def test_a_strange_target_is_learnt_saved_loaded_and_exported(
    head, score, target, data, catalogue, tmp_path
):
    run = train(head, score, data, catalogue, tmp_path / "run")
    assert list(run.record.targets) == [target]
    assert run.record.targets[target] == data.header.target(target)
    (epoch,) = Run.load(run.path, catalogue).epochs()
    assert list(epoch.scores) == [score]
    images = data.images(np.arange(5))
    said = Predictor(run).predict(images)
    again = Predictor.load(run.path, catalogue=catalogue).predict(images)
    assert said[target].value.shape == (5, *data.header.target(target).shape)
    assert np.array_equal(said[target].value, again[target].value)
    assert said.novelty is not None
    formats = {"torch-export": ".pt2", "onnx": ".onnx"}
    for to in formats if target == "domains" else ("torch-export",):  # ONNX takes half a minute
        checks = []
        export_run(run, to, tmp_path / f"model{formats[to]}", on_checked=checks.append)
        assert target in checks[0].differences


def test_thickness_is_told_in_its_units(data, catalogue, tmp_path):
    run = train(*CASES[2][:2], data, catalogue, tmp_path / "run")
    train_split = data.split("train")
    thickness = data.column("thickness_angstrom")[train_split]
    head = run.system.branches["eye"].head
    assert float(head.offset[0]) == pytest.approx(float(thickness.mean()), rel=1e-5)
    told = Predictor(run).predict(data.images(np.arange(8)))["thickness_angstrom"].value
    assert 100 < told.mean() < 300


def test_the_command_keeps_vectors_in_columns_and_maps_in_arrays(
    strangers, data, catalogue, tmp_path, capsys
):
    for name in ("orientation", "domains"):
        score = next(score for head, score, _ in CASES if head == name)
        train(name, score, data, catalogue, tmp_path / name)
    files = [part for file in strangers.values() for part in ("-p", str(file))]
    line = [*files, "predict", str(tmp_path / "orientation"), f"{data.path}[0:3]"]
    assert main([*line, "-o", str(tmp_path / "said.csv")]) == 0
    with (tmp_path / "said.csv").open() as file:
        rows = list(csv.DictReader(file))
    quaternion = [float(rows[0][f"orientation_{number}"]) for number in range(4)]
    assert np.linalg.norm(quaternion) == pytest.approx(1, abs=1e-4)
    line[-2] = str(tmp_path / "domains")
    capsys.readouterr()
    assert main([*line, "--json", "-o", str(tmp_path / "maps.json")]) == 0
    told = capsys.readouterr()
    assert "domains" not in json.loads(told.out)["predictions"][0]
    assert "maps of domains, domains_probabilities in" in " ".join(told.err.split())
    arrays = np.load(tmp_path / "maps.npz")
    assert arrays["domains"].shape == (3, SIZE, SIZE)
    assert arrays["domains_probabilities"].shape == (3, 2, SIZE, SIZE)
    assert main(line) == 0
    assert "note: -o FILE keeps the maps of domains" in " ".join(capsys.readouterr().err.split())


def test_of_maps_the_scores_of_patterns_are_kept(data, catalogue, tmp_path):
    folder, copy = tmp_path / "benchmark", tmp_path / "copy"
    sets = {"recipe": "any", "train": {"samples": 40, "seed": 0}, "test": {"samples": 8, "seed": 1}}
    suite = Suite.model_validate(
        {
            "name": "maps",
            "title": "Where?",
            "description": "Domains.",
            "compare_with": "first",
            "seeds": (0,),
            "datasets": {"domains": sets},
            "systems": {name: {"experiment": "any"} for name in ("first", "second")},
        }
    )
    folder.mkdir()
    (folder / "suite.yaml").write_text(dump_yaml(suite.model_dump(mode="json")))
    (folder / "environment.json").write_text("{}")
    for name in ("first", "second"):
        path = folder / "runs" / name / "domains-40-seed0"
        path.parent.mkdir(parents=True)
        run = train("domains", "domains_sample_iou", data, catalogue, path)
        save(evaluate(run, data, catalogue=catalogue, resamples=20), path, "domains")
    rows = collect(folder, catalogue)
    write_table(rows, folder)
    write_report(folder, catalogue)
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("runs", "report.html", "*.md"))
    keep_runs(folder, rows, copy, catalogue)
    assert collect(copy, catalogue) == rows
    write_report(copy, catalogue)
    assert (copy / "results.md").read_bytes() == (folder / "results.md").read_bytes()
    kept = pd.read_parquet(copy / "predictions.parquet")
    assert kept["domains/score"].between(0, 1).all()


def test_an_ensemble_joins_what_it_can(data, catalogue, tmp_path):
    run = train("domains", "domains_sample_iou", data, catalogue, tmp_path / "run")
    single = Predictor(run)
    images = data.images(np.arange(3))
    both = Ensemble([single, single]).predict(images)
    alone = single.predict(images)
    assert np.allclose(both["domains"].probabilities, alone["domains"].probabilities, atol=1e-6)
    assert both["domains"].answers.entropy.shape == (3, SIZE, SIZE)


def test_a_frozen_network_is_read_by_a_map_head_and_another(data, catalogue, tmp_path):
    """Maps are no features that could be kept, and no outputs that a fusion could join."""
    described = describe({"domains": "domains", "thickness": "orientation"})
    described["system"] |= {"fusion": "concat", "head": {"name": "regression"}}
    described["system"]["head"]["target"] = "thickness_angstrom"
    last = {**described["schedule"][0], "name": "fusion", "train": ["fusion", "head"]}
    described["schedule"].append(last)
    experiment = Experiment.model_validate(described)
    run = train_run(experiment, data, tmp_path / "run", catalogue=catalogue)
    said = Predictor(run).predict(data.images(np.arange(2)))
    assert set(said) == {"thickness_angstrom", "domains", "orientation"}


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            "softmax",
            r"head 'softmax' learns 'label', which the dataset does not have; its targets: or",
        ),
        ("severity", r"learns 'severity', which the dataset does not have; its targets: orientat"),
        (
            {"name": "domains", "target": "thickness_angstrom"},
            r"'thickness_angstrom' has no classes; targets with classes: domains \(2 classes of",
        ),
        (
            {"name": "orientation", "target": "thickness_angstrom"},
            r"gives values of shape \(4,\), but 'thickness_angstrom' has \(\); choose .*orie",
        ),
    ],
)
def test_a_target_that_does_not_fit_is_refused_before_training(
    head, message, data, catalogue, tmp_path
):
    experiment = Experiment.model_validate(describe({"eye": head}))
    with pytest.raises(InputError, match=message) as said:
        train_run(experiment, data, tmp_path / "run", catalogue=catalogue)
    assert "\n" not in str(said.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["orientation", "domains"])
def test_the_battery_takes_strange_targets(name, data, catalogue):
    targets = {name: data.header.target(name)}
    quick = [check for check in CHECKS["head"] if not check.is_slow(0)]
    for check in quick:
        check.run(PluginUnderTest("head", name, catalogue, targets=targets))
    assert len(quick) > 7


def test_the_battery_says_which_target_it_lacks(catalogue):
    with pytest.raises(PluginError, match="orientation"):
        run_battery("head", "orientation", catalogue)
