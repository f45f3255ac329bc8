"""Spread, explanations, and further kinds of input."""

import csv
import io
import json

import mrcfile
import numpy as np
import pytest
import zarr
from PIL import Image

from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.prediction import Ensemble, Predictor, open_source, read_image
from crystalvision.runs import train_run
from crystalvision.training import Experiment


@pytest.fixture(scope="module")
def single_path(make_experiment, dataset, catalogue, tmp_path_factory):
    """A single branch with dropout."""
    described = make_experiment()
    branch = {"backbone": "dnsnet-tiny", "head": {"name": "softmax", "dropout": 0.3}}
    experiment = Experiment.model_validate(
        {
            "system": {"branches": {"one": branch}},
            "input": described["input"],
            "schedule": [{**described["schedule"][0], "train": ["one"], "epochs": 2}],
        }
    )
    path = tmp_path_factory.mktemp("runs") / "single"
    train_run(experiment, dataset, path, catalogue=catalogue)
    return path


@pytest.fixture
def single(single_path, catalogue):
    return Predictor.load(single_path, catalogue=catalogue)


@pytest.fixture
def fused(run_path, catalogue):
    return Predictor.load(run_path, catalogue=catalogue)


def test_dropout_gives_a_spread_that_the_seed_decides(single, dataset):
    images = dataset.images(np.arange(6))
    told = single.predict(images, dropout_passes=8)
    again = single.predict(images, dropout_passes=8)
    other = single.predict(images, dropout_passes=8, seed=1)
    assert np.array_equal(told["label"].probabilities, again["label"].probabilities)
    assert not np.array_equal(told["label"].probabilities, other["label"].probabilities)
    answers = told["label"].answers
    assert answers.samples == 8
    assert (answers.probability_std.max(axis=1) > 0).all()
    assert (answers.mutual_information <= answers.entropy + 1e-6).all()
    assert (told["severity"].answers.value_std > 0).all()
    once, twice = (single.predict(images)["label"] for _ in range(2))
    assert once.answers is None
    assert np.array_equal(once.probabilities, twice.probabilities)  # dropout is off again


def test_a_system_without_dropout_says_so(fused, dataset):
    with pytest.raises(InputError, match="was trained without dropout"):
        fused.predict(dataset.images([0]), dropout_passes=8)


def test_an_ensemble_of_one_run_twice_agrees(fused, dataset):
    images = dataset.images(np.arange(4))
    alone, both = fused.predict(images), Ensemble([fused, fused]).predict(images)
    assert np.allclose(both["label"].probabilities, alone["label"].probabilities, atol=1e-6)
    assert both["label"].answers.probability_std.max() < 1e-6
    assert np.allclose(both["label"].answers.mutual_information, 0, atol=1e-6)
    assert np.allclose(both.novelty, alone.novelty)


def test_an_ensemble_takes_runs_that_fit(fused, single, dataset):
    with pytest.raises(InputError, match="needs two runs or more"):
        Ensemble([fused])
    with pytest.raises(InputError, match="ensemble tell 'severity' by a head and others by cl"):
        Ensemble([fused, single]).predict(dataset.images([0]))


def test_a_single_branch_is_explained(single, dataset):
    explanation = single.explain(dataset.images([1])[0])
    label, severity = explanation.maps
    assert (label.target, severity.target) == ("label", "severity")
    assert label.values.shape == severity.values.shape == (32, 32)
    assert label.values.min() >= 0
    assert np.isfinite(severity.values).all()
    assert label.said in single.record.class_names


def test_a_fused_system_is_explained(fused, dataset):
    image = dataset.images([2])[0]
    explanation, told = fused.explain(image), fused.predict(image)
    label, severity = explanation.maps
    assert label.said == told["label"].names[0]
    assert severity.said == pytest.approx(float(told["severity"].value[0]), abs=1e-5)
    assert np.ptp(severity.values) > 0


def test_mrc_files_and_stacks(dataset, tmp_path):
    images = dataset.images(np.arange(3))[:, 0]
    for name, content in (("one", images[1]), ("stack", images)):
        with mrcfile.new(tmp_path / f"{name}.mrc") as file:
            file.set_data(content)
    np.save(tmp_path / "stack.npy", images)
    assert np.array_equal(read_image(str(tmp_path / "one.mrc")), images[1])
    for suffix in ("mrc", "npy"):
        path = tmp_path / f"stack.{suffix}"
        stack = open_source(str(path), (1, 32, 32))
        assert list(stack.names) == [f"{path}[{number}]" for number in range(3)]
        assert np.array_equal(stack.read([2, 0]), images[[2, 0]])
        chosen = open_source(f"{path}[1]", (1, 32, 32))
        assert np.array_equal(chosen.read([0])[0], images[1])


def test_a_damaged_mrc_file_is_refused(tmp_path):
    (tmp_path / "broken.mrc").write_bytes(b"hello" * 10)
    with pytest.raises(InputError, match=r"broken\.mrc is not a MRC file") as caught:
        read_image(str(tmp_path / "broken.mrc"))
    assert "\n" not in str(caught.value)


def test_zarr_arrays_and_whole_datasets(dataset, dataset_path, tmp_path):
    images = dataset.images(np.arange(4))
    zarr.save_array(str(tmp_path / "array.zarr"), images[:, 0])
    array = open_source(str(tmp_path / "array.zarr"), (1, 32, 32))
    assert len(array) == 4
    assert np.array_equal(array.read([3, 1]), images[[3, 1], 0])
    assert len(open_source(str(dataset_path), (1, 32, 32))) == len(dataset)
    some = open_source(f"{dataset_path}[1:4]", (1, 32, 32))
    assert np.array_equal(some.read([0, 2]), images[[1, 3]])


@pytest.mark.parametrize("text", ["4:9x", "200:300", "3:3"])
def test_a_slice_of_nothing_is_refused(dataset_path, text):
    with pytest.raises(InputError, match=r"or FIRST:END within 0:160"):
        open_source(f"{dataset_path}[{text}]", (1, 32, 32))


def test_the_command_writes_csv_with_spread(single_path, dataset_path, capsys):
    line = ["predict", str(single_path), f"{dataset_path}[0:3]", "--csv"]
    assert main([*line, "--uncertainty", "dropout", "--passes", "4"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["image"] for row in rows] == [f"{dataset_path}[{place}]" for place in range(3)]
    assert {"label_probability_pristine", "label_probability_std_pristine", "novelty"} <= set(
        rows[0]
    )
    assert float(rows[0]["label_entropy_nat"]) >= float(rows[0]["label_mutual_information_nat"])


def test_the_command_flags_noise_and_draws(run_path, tmp_path, capsys):
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).poisson(3, (32, 32)))
    line = ["predict", str(run_path), str(tmp_path / "noise.npy"), "--explain"]
    assert main([*line, "--explain-to", str(tmp_path / "drawn")]) == 0
    assert "1 of 1 patterns are unlike the training data" in capsys.readouterr().out
    with Image.open(tmp_path / "drawn" / "noise.npy.png") as picture:
        assert picture.width > 1000
    assert main([*line[:3], "--uncalibrated", "--json"]) == 0
    assert "novelty" not in json.loads(capsys.readouterr().out)["predictions"][0]


def test_the_command_asks_an_ensemble(run_path, dataset_path, capsys):
    line = ["predict", str(run_path), f"{dataset_path}[0]"]
    assert main([*line, "--ensemble", str(run_path)]) == 0
    assert "disagreement" in capsys.readouterr().out
    assert main([*line, "--uncertainty", "ensemble"]) == 2
    assert "needs two runs or more" in " ".join(capsys.readouterr().err.split())
