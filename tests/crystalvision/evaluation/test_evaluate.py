"""Evaluation of a run: which samples, what is written, what is refused."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from crystalvision.cli import main
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate, load_metrics, read_predictions, save
from crystalvision.runs import Run, train_run
from crystalvision.training import Experiment


@pytest.fixture
def copy(run_path, tmp_path):
    return shutil.copytree(run_path, tmp_path / "copy")


@pytest.fixture
def other(other_dataset_path):
    return Dataset.open(other_dataset_path)


def test_the_training_dataset_is_judged_on_its_test_split(run, dataset):
    evaluation = evaluate(run, dataset)
    assert evaluation.metrics.split == "test"
    assert evaluation.metrics.trained_on_this
    assert evaluation.indices.tolist() == dataset.split("test").tolist()
    assert (
        evaluation.judged["label"].truth.tolist()
        == dataset.column("label")[evaluation.indices].tolist()
    )
    assert evaluation.metrics.images_per_second > 0


def test_a_copy_of_the_training_dataset_is_recognised(run, dataset, tmp_path):
    moved = Dataset.open(shutil.copytree(dataset.path, tmp_path / "moved.zarr"))
    assert evaluate(run, moved).metrics.split == "test"


def test_another_dataset_is_judged_whole(run, other):
    metrics = evaluate(run, other).metrics
    assert (metrics.split, metrics.samples, metrics.trained_on_this) == ("all", len(other), False)


@pytest.mark.parametrize("split", ["train", "validation", "test", "all"])
def test_any_split_can_be_asked_for(run, dataset, split):
    metrics = evaluate(run, dataset, split=split).metrics
    assert metrics.samples == len(dataset.split(split))
    assert sum(map(sum, metrics.targets["label"]["confusion"])) == metrics.samples


def test_the_validation_agrees_with_the_training(run, dataset):
    """What training said of the validation split is what evaluation says of it."""
    phase = run.record.phases[-1]
    rows = [row for row in run.epochs() if row.phase == phase.name]
    expected = rows[phase.best_epoch - 1].scores["label_accuracy"]
    found = evaluate(run, dataset, split="validation").metrics.targets["label"]["accuracy"]
    assert found == pytest.approx(expected)


def test_severity_comes_from_the_regressor(run, dataset):
    assert evaluate(run, dataset).metrics.targets["severity"].source == "head"
    regressor = [row for row in run.epochs() if row.phase == "regressor"]
    found = evaluate(run, dataset, split="validation").metrics.targets["severity"]["mae"]
    best = run.record.phases[1].best_epoch
    assert found == pytest.approx(regressor[best - 1].scores["severity_mae"], rel=1e-4)


def test_without_a_regressor_severity_is_that_of_the_classes(
    make_experiment, dataset, catalogue, tmp_path
):
    described = make_experiment()
    system = {"branches": {"classifier": described["system"]["branches"]["classifier"]}}
    schedule = [{**described["schedule"][0], "epochs": 1}]
    experiment = Experiment.model_validate({**described, "system": system, "schedule": schedule})
    run = train_run(experiment, dataset, tmp_path / "single", catalogue=catalogue)
    evaluation = evaluate(run, dataset)
    assert evaluation.metrics.targets["severity"].source == "class_expectation"
    said = evaluation.predictions
    expected = said["label"].probabilities @ np.array(dataset.header.class_severities)
    assert np.allclose(said["severity"].value, expected, atol=1e-6)


def test_other_classes_are_refused(copy, dataset, catalogue):
    run = Run.load(copy, catalogue)
    names = ("vacancies_25", *run.record.class_names[1:])
    label = run.record.targets["label"].model_copy(update={"classes": names})
    targets = {**run.record.targets, "label": label}
    changed = replace(run, record=run.record.model_copy(update={"targets": targets}))
    with pytest.raises(InputError, match=r"has the classes no_defect.*trained on vacancies_25"):
        evaluate(changed, dataset)


def test_images_of_less_than_the_run_looks_at_are_refused(run, make_dataset, tmp_path):
    small = Dataset.open(make_dataset(tmp_path / "small.zarr", samples=8, size=16))
    with pytest.raises(InputError, match=r"16×16 pixels of 0.0125 .* trained on 32×32 pixels"):
        evaluate(run, small)


def test_a_test_split_that_was_trained_on_is_refused(copy, dataset, catalogue):
    text = (copy / "split.csv").read_text()
    (copy / "split.csv").write_text(text.replace("test", "train"))
    with pytest.raises(InputError, match=r"splits have changed since .* used for training"):
        evaluate(Run.load(copy, catalogue), dataset)


def test_what_is_saved_reads_back(copy, dataset, catalogue):
    evaluation = evaluate(Run.load(copy, catalogue), dataset)
    folder = save(evaluation, copy)
    assert folder == copy / "evaluations" / "rings-test"
    assert load_metrics(folder) == evaluation.metrics
    metrics = evaluation.metrics
    stored = json.loads((folder / "metrics.json").read_text())["targets"]
    assert stored["label"]["task"] == "classification"
    assert stored["label"]["metrics"]["accuracy"] == metrics.targets["label"]["accuracy"]
    assert set(stored["severity"]) >= {"task", "units", "metrics", "intervals"}
    with (folder / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == evaluation.indices.tolist()
    right = np.mean([row["label"] == row["label_predicted"] for row in rows])
    assert right == pytest.approx(metrics.targets["label"]["accuracy"])
    total = sum(float(rows[0][key]) for key in rows[0] if key.startswith("label_probability_"))
    assert total == pytest.approx(1, abs=1e-4)
    again = read_predictions(folder, metrics)
    assert again.index.tolist() == evaluation.indices.tolist()
    for name, judged in evaluation.judged.items():
        assert np.allclose(again.targets[name].truth, judged.truth)
        assert np.allclose(again.targets[name].value, judged.value, rtol=1e-5)
        assert again.targets[name].group_names == dataset.header.class_names


def test_datasets_of_one_name_do_not_replace_each_others_evaluation(
    copy, dataset, make_dataset, tmp_path, catalogue
):
    run = Run.load(copy, catalogue)
    twin = Dataset.open(make_dataset(tmp_path / "rings.zarr", samples=40, seed=9))
    first = save(evaluate(run, dataset, split="all"), copy)
    second = save(evaluate(run, twin), copy)
    assert first != second
    assert save(evaluate(run, dataset, split="all"), copy) == first
    assert len(list((copy / "evaluations").iterdir())) == 2


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "..", ".hidden"])
def test_a_name_that_leaves_the_folder_is_refused(copy, dataset, catalogue, name):
    evaluation = evaluate(Run.load(copy, catalogue), dataset)
    with pytest.raises(InputError, match="expected the plain name of a folder"):
        save(evaluation, copy, name)


def test_the_command_prints_a_table_and_writes(copy, dataset_path, capsys):
    assert main(["evaluate", str(copy), "-d", str(dataset_path)]) == 0
    shown = capsys.readouterr().out
    for text in ("accuracy", "quadratic kappa", "limit of agreement", "random_displacement"):
        assert text in shown
    assert (copy / "evaluations" / "rings-test" / "metrics.json").is_file()


def test_the_command_writes_json(copy, other_dataset_path, capsys):
    line = ["evaluate", str(copy), "-d", str(other_dataset_path), "--json", "--name", "seed-1"]
    assert main(line) == 0
    shown = json.loads(capsys.readouterr().out)
    targets = {name: each["metrics"] for name, each in shown["targets"].items()}
    assert 0 <= targets["label"]["accuracy"] <= 1
    assert set(targets["severity"]) >= {"mae", "bias", "lower_limit"}
    assert (copy / "evaluations" / "seed-1").is_dir()


def test_the_command_says_what_is_no_run(tmp_path, dataset_path, capsys):
    assert main(["evaluate", str(tmp_path), "-d", str(dataset_path)]) == 2
    assert "is no run: it has no run.yaml" in capsys.readouterr().err.replace("\n", " ")
