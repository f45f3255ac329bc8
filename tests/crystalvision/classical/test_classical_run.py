"""Classical systems from experiment to evaluation, by the same functions as networks."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import yaml

from crystalvision.classical import beam_centre, build_classical, fit_classical
from crystalvision.cli import main
from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.inputs import as_parts, build_preprocess
from crystalvision.prediction import Predictor
from crystalvision.runs import Run, train_classical_run
from crystalvision.training import (
    ClassicalExperiment,
    check_experiment,
    load_experiment,
)


def test_the_run_folder_is_that_of_any_run(classical_path, dataset):
    assert {path.name for path in classical_path.iterdir()} == {
        "run.yaml",
        "estimator.skops",
        "features.safetensors",
        "calibration.json",
        "reference.safetensors",
        "README.txt",
        "metrics.csv",
        "split.csv",
    }
    record = yaml.safe_load((classical_path / "run.yaml").read_text())
    assert record["dataset"]["identity"] == dataset.identity
    assert {(plugin["kind"], plugin["name"]) for plugin in record["plugins"]} == {
        ("input", "log1p"),
        ("input", "standardise"),
        ("feature", "radial-profile"),
        ("feature", "pca"),
        ("estimator", "random-forest"),
        ("task", "classification"),
    }
    assert Run.load(classical_path).epochs() == []


def test_it_tells_rings_apart(classical_path, dataset, catalogue):
    metrics = evaluate(Run.load(classical_path, catalogue), dataset).metrics
    assert metrics.targets["label"]["accuracy"] >= 0.9
    assert metrics.targets["severity"].source == "class_expectation"
    assert metrics.targets["severity"]["mae"] < 0.15


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_jobs(
    classical_path, dataset, classical_experiment, catalogue, patterns
):
    loaded_run = Run.load(classical_path, catalogue)
    loaded = Predictor(loaded_run)
    images = dataset.images(np.arange(12))
    expected = loaded.predict(images)["label"].probabilities
    for jobs in (1, 3):
        system = build_classical(
            classical_experiment.system,
            catalogue,
            preprocess=loaded_run.preprocess,
            channels=1,
            targets=dataset.header.targets,
            seed=0,
        )
        said = fit_classical(system, *patterns, jobs=jobs)
        right = said.value == patterns[1].targets["label"]
        assert float(right.float().mean()) == loaded.record.phases[0].best_value
        again = Predictor(replace(loaded_run, system=system)).predict(images)
        assert np.array_equal(again["label"].probabilities, expected)


def test_a_batch_of_one_says_what_a_batch_of_many_says(classical_path, dataset, catalogue):
    predictor = Predictor.load(classical_path, catalogue=catalogue)
    images = dataset.images(np.arange(6))
    together, alone = (predictor.predict(images, batch_size=size) for size in (6, 1))
    assert np.allclose(together["label"].probabilities, alone["label"].probabilities, atol=1e-6)


def test_empty_patterns_have_probabilities(classical_path, catalogue):
    told = Predictor.load(classical_path, catalogue=catalogue).predict(np.zeros((2, 1, 32, 32)))
    assert np.allclose(told["label"].probabilities.sum(axis=1), 1)


def test_commands_take_classical_runs(classical_path, dataset_path, tmp_path, capsys, run_path):
    run, network = (
        shutil.copytree(path, tmp_path / path.name) for path in (classical_path, run_path)
    )
    for path in (run, network):
        assert main(["evaluate", str(path), "-d", str(dataset_path)]) == 0
    assert main(["predict", str(run), f"{dataset_path}[0]", "--json"]) == 0
    capsys.readouterr()
    page = tmp_path / "report.html"
    assert main(["report", str(run), str(network), "-o", str(page), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["runs"]
    assert rows[0]["parameters"] is None
    assert rows[0]["system"] == "random-forest (trees 20) on radial-profile + pca (components 4)"
    assert "there are no curves" in page.read_text()
    assert main(["report", str(run), "-o", str(tmp_path / "alone.html")]) == 0


def test_train_writes_a_run_and_says_what_comes_next(
    dataset_path, tmp_path, make_classical, capsys
):
    path = tmp_path / "forest.yaml"
    path.write_text(yaml.safe_dump(make_classical()))
    assert main(["train", str(path), "-d", str(dataset_path), "-o", str(tmp_path / "run")]) == 0
    told = capsys.readouterr()
    assert "run: fit validation_accuracy" in told.out
    assert "next: crystalvision evaluate" in told.out
    assert "fitting random-forest to 112 patterns of 34 features" in told.err
    refused = ["train", str(path), "-d", str(dataset_path), "-o", str(tmp_path / "b")]
    assert main([*refused, "--set", "schedule=quick"]) == 2
    assert "leave 'schedule' out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["random-forest", "svm", "logistic", "knn", "naive-bayes", "ring-moments", "lattice"]
)
def test_shipped_experiments_can_be_built(name, catalogue, dataset):
    experiment = load_experiment(name, catalogue)
    assert isinstance(experiment, ClassicalExperiment)
    assert experiment.system.estimator.name == {"ring-moments": "svm", "lattice": "svm"}.get(
        name, name
    )
    build_classical(
        experiment.system,
        catalogue,
        preprocess=build_preprocess(experiment.input, catalogue, dataset.header.axes),
        channels=1,
        targets=dataset.header.targets,
        seed=experiment.seed,
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"augment": "dihedral"}, r"e.yaml: 'augment' is for networks.*leave 'augment' out"),
        ({"schedule": "quick"}, r"e.yaml: 'schedule' is for networks"),
        ({"sed": 1}, r"unknown key 'sed'; did you mean 'seed'\? \(keys here: system, input, seed"),
        ({"system": {"features": ["pca"]}}, r"the key 'system.estimator' is missing"),
        ({"system": {"features": [], "estimator": "svm"}}, r"system.features: .*at least 1"),
        ({"system": {"features": 3, "estimator": "svm"}}, r"system.features=3: "),
        (
            {"system": {"features": ["pca"], "estimater": "svm"}},
            r"unknown key 'system.estimater'; did you mean 'estimator'\?",
        ),
        (
            {"system": {"featurs": ["pca"], "estimater": "svm"}},
            r"unknown key 'system.featurs'; did you mean 'features'\?",
        ),
        (
            {"system": {"features": ["pca"], "estimator": "svm", "branches": {}}},
            r"system has 'branches' beside features",
        ),
    ],
)
def test_wrong_experiments_say_what_is_wrong(make_classical, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        check_experiment(make_classical(**changes), "e.yaml")
    assert "\n" not in str(caught.value)
    assert "<" not in str(caught.value)


def test_an_experiment_of_networks_stays_one(make_experiment):
    with pytest.raises(InputError, match=r"^e.yaml: the key 'schedule' is missing$"):
        check_experiment({"system": make_experiment()["system"], "input": ["log1p"]}, "e.yaml")


def test_a_regression_tells_a_number_and_no_class(make_classical, dataset, catalogue, tmp_path):
    described = make_classical(
        system={"features": "radial-profile", "estimator": "ridge", "target": "severity"}
    )
    run = train_classical_run(
        check_experiment(described, "e.yaml"), dataset, tmp_path / "run", catalogue=catalogue
    )
    assert list(run.record.targets) == ["severity"]
    assert run.record.phases[0].monitor == "validation_mae"
    assert run.record.phases[0].best_value < 0.15
    images = dataset.images(np.arange(4))
    loaded = Predictor.load(run.path, catalogue=catalogue)
    expected = Predictor(run).predict(images)["severity"].value
    assert np.array_equal(loaded.predict(images)["severity"].value, expected)


@pytest.mark.parametrize(
    ("estimator", "target", "message"),
    [
        ("ridge", "label", r"'ridge' tells real values, and 'label' has classes; .*fit: severity"),
        ("knn", "severity", r"'knn' tells classes apart, and 'severity' is a real value; .*label"),
        ("knn", "lable", r"is to tell 'lable'; expected one of .*: label \(4 classes\), severity"),
    ],
)
def test_an_estimator_of_another_kind_is_refused(
    make_classical, dataset, catalogue, tmp_path, estimator, target, message
):
    described = make_classical(
        system={"features": "radial-profile", "estimator": estimator, "target": target}
    )
    experiment = check_experiment(described, "e.yaml")
    with pytest.raises(InputError, match=message):
        train_classical_run(experiment, dataset, tmp_path / "run", catalogue=catalogue)


def test_a_part_that_does_not_exist_is_found_before_reading(
    tmp_path, dataset_path, make_classical, capsys
):
    path = tmp_path / "e.yaml"
    path.write_text(yaml.safe_dump(make_classical(system={"features": "hogg", "estimator": "svm"})))
    assert main(["train", str(path), "-d", str(dataset_path), "-o", str(tmp_path / "run")]) == 2
    assert "no feature is called 'hogg'; did you mean 'hog'?" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("offset", "centre"),
    [(-0.16, 7.75), (-0.0125 * 15.5, 7.5), (5.0, 7.5)],
)
def test_the_direct_beam_is_where_the_axes_say_or_in_the_middle(catalogue, offset, centre):
    scale = 0.01 if offset == -0.16 else 0.0125
    raw = [Axis(name=name, size=32, scale=scale, offset=offset) for name in ("q_y", "q_x")]
    prepare = build_preprocess(as_parts({"name": "bin", "size": 2}), catalogue, raw)
    assert beam_centre(prepare.axes) == (centre, centre)
