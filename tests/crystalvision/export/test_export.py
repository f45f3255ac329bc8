"""Exports: the same numbers as prediction, for any number of patterns, and what files say."""

import importlib.util
import json

import numpy as np
import onnxruntime
import pytest
import torch

from crystalvision.classical import ClassicalSystem
from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.export import check_export, export_run
from crystalvision.prediction import UNSEEN, Predictor
from crystalvision.runs import Run


@pytest.fixture(scope="module")
def onnx_path(run_path, catalogue, tmp_path_factory, capturing_once):
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    with capturing_once():
        return export_run(Run.load(run_path, catalogue), "onnx", path)


@pytest.fixture(scope="module")
def program_path(run_path, tmp_path_factory, capturing_once):
    path = tmp_path_factory.mktemp("program") / "model.pt2"
    with capturing_once():
        assert main(["export", str(run_path), "--to", "torch-export", "-o", str(path)]) == 0
    return path


@pytest.fixture
def told(run_path, dataset, catalogue):
    return Predictor.load(run_path, catalogue=catalogue).predict(dataset.images(np.arange(5)))


def test_onnx_gives_what_prediction_gives(onnx_path, dataset, told):
    session = onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])
    counts = dataset.images(np.arange(5)).astype(np.float32)
    for batch in (1, 5):
        label, probabilities, severity = session.run(None, {"counts": counts[:batch]})
        assert np.array_equal(label, told["label"].value[:batch])
        assert np.allclose(probabilities, told["label"].probabilities[:batch], atol=1e-5)
        assert np.allclose(severity, told["severity"].value[:batch], atol=1e-5)


@pytest.mark.parametrize("batch", [1, 5])
def test_what_was_not_seen_is_hidden_from_an_exported_run(
    onnx_path, program_path, run_path, dataset, catalogue, batch
):
    session = onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_overridable_initializers()] == ["seen"]
    counts = dataset.images(np.arange(batch)).astype(np.float32)
    seen = np.ones(counts.shape, dtype=bool)
    seen[:, :, 10:22, 12:] = False
    marked = np.where(seen, counts, np.float32(np.nan))
    predictor = Predictor.load(run_path, catalogue=catalogue)
    expected = predictor.predict(marked, gap_values=UNSEEN)["label"].probabilities
    found = {
        "mask": session.run(None, {"counts": counts, "seen": seen})[1],
        "one mask for all": session.run(None, {"counts": counts, "seen": seen[:1]})[1],
        "nan": session.run(None, {"counts": marked})[1],
        "program": torch.export.load(program_path).module()(torch.from_numpy(marked))[1].detach(),
    }
    for how, probabilities in found.items():
        assert np.allclose(probabilities, expected, atol=1e-5), how
    zeros = session.run(None, {"counts": np.where(seen, counts, np.float32(0))})[1]
    assert not np.allclose(zeros, expected, atol=1e-3)


def test_onnx_says_what_it_is(onnx_path, run):
    session = onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    targets = json.loads(said["crystalvision.targets"])
    assert targets["label"]["classes"] == list(run.record.class_names)
    assert json.loads(said["crystalvision.image_shape"]) == list(run.record.image_shape)
    assert said["crystalvision.dataset_identity"] == run.record.dataset.identity
    assert [each.name for each in session.get_outputs()] == [
        "label",
        "label_probabilities",
        "severity",
    ]


def test_a_program_of_torch_gives_the_same(program_path, dataset, told, run):
    extra = {"crystalvision.json": ""}
    program = torch.export.load(program_path, extra_files=extra).module()
    counts = torch.from_numpy(dataset.images(np.arange(5)).astype(np.float32))
    for batch in (1, 5):
        label, probabilities, severity = program(counts[:batch])
        assert np.array_equal(label, told["label"].value[:batch])
        expected = told["label"].probabilities[:batch]
        assert np.allclose(probabilities.detach(), expected, atol=1e-5)
        assert np.allclose(severity.detach(), told["severity"].value[:batch], atol=1e-5)
    said = json.loads(extra["crystalvision.json"])
    assert said["targets"]["label"]["classes"] == list(run.record.class_names)
    assert said["calibrated"]


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else found(name)
    )
    with pytest.raises(InputError, match=r"needs onnxscript; .*install 'crystalvision\[export\]"):
        check_export("onnx", tmp_path / "model.onnx")
    check_export("torch-export", tmp_path / "model.pt2")


def test_other_suffixes_and_files_that_are_there_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"a file of onnx ends in \.onnx"):
        check_export("onnx", tmp_path / "model.pt2")
    (tmp_path / "model.onnx").touch()
    with pytest.raises(InputError, match="is there already; use --overwrite"):
        check_export("onnx", tmp_path / "model.onnx")


def test_a_system_that_is_no_network_is_not_exported(run, targets, tmp_path):
    system = ClassicalSystem([], [], "knn", object(), target=targets["label"], image_shape=(1, 4))
    classical = Run(run.path, run.record, system, run.preprocess)
    with pytest.raises(InputError, match="its system is no network but a classical one"):
        export_run(classical, "onnx", tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
