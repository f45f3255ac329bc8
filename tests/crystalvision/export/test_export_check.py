"""An exported file is the run's own model: every shipped experiment, every input, both formats."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from crystalvision.cli import main
from crystalvision.datasets import Dataset
from crystalvision.errors import ExportError, InputError, StorageError
from crystalvision.export import TOLERANCE, check_export, export_run
from crystalvision.export import _check as check_module
from crystalvision.inputs import build_preprocess
from crystalvision.models import build_system
from crystalvision.prediction import Predictor
from crystalvision.runs import Run
from crystalvision.training import load_experiment
from crystalvision_inputs.bin import Bin

SUFFIXES = {"onnx": ".onnx", "torch-export": ".pt2"}
BINS = (1, 2, 4)


def cases():
    for name in ("quick", "single", "regressor", "joint", "paper", "paper-transfer"):
        for size in BINS if name != "paper" else BINS[:2]:  # its images are at least 64 pixels
            for to in SUFFIXES:
                yield name, size, to


@pytest.fixture(scope="module")
def small(make_dataset, tmp_path_factory):
    """Real counts, of a size that every network takes after binning by four."""
    return Dataset.open(
        make_dataset(tmp_path_factory.mktemp("small") / "rings.zarr", samples=40, size=128)
    )


def untrained(name, size, dataset, catalogue, run, *settings):
    """A run of an experiment whose weights are drawn, and tell patterns apart."""
    settings = [f"input.bin.size={size}", *settings]
    experiment = load_experiment(name, catalogue, overrides=settings, seed=None)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        system = build_system(
            experiment.system,
            catalogue,
            in_channels=1,
            targets=dataset.header.targets,
            grid=(128 // size, 128 // size),
            first_weights=False,
        ).eval()
    preprocess = build_preprocess(experiment.input, catalogue, dataset.header.axes)
    prepared = preprocess(torch.from_numpy(dataset.images(np.arange(8))).float())
    with torch.no_grad():
        for module in system.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.momentum = 1.0
        system.train()(prepared)
        system.eval()
        spread = float(system.predict(system(prepared))["label"].probabilities.std(0).max())
        for module in system.modules():
            if isinstance(module, nn.Linear):
                module.weight *= min(0.1 / max(spread, 1e-6), 30) ** 0.5
    record = run.record.model_copy(
        update={
            "experiment": experiment,
            "image_shape": dataset.header.image_shape,
            "dataset": run.record.dataset.model_copy(
                update={"path": str(dataset.path), "identity": dataset.identity}
            ),
        }
    )
    return Run(Path("no calibration here"), record, system, preprocess)


def answers(path, counts):
    if path.suffix == ".onnx":
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [each.name for each in session.get_outputs()]
        return dict(zip(names, session.run(names, {"counts": counts}), strict=True))
    extra = {"crystalvision.json": ""}
    with torch.no_grad():
        program = torch.export.load(path, extra_files=extra).module()
        told = program(torch.from_numpy(counts))
    names = json.loads(extra["crystalvision.json"])["outputs"]
    return {name: each.numpy() for name, each in zip(names, told, strict=True)}


@pytest.mark.slow  # ten seconds each; `test_export.py` has a fused system in both formats
@pytest.mark.parametrize(("name", "size", "to"), list(cases()))
def test_every_experiment_is_exported_as_it_is(name, size, to, small, catalogue, run, tmp_path):
    mine = untrained(name, size, small, catalogue, run)
    checks = []
    path = export_run(mine, to, tmp_path / f"model{SUFFIXES[to]}", on_checked=checks.append)
    counts = small.images(np.arange(12)).astype(np.float32)
    told = Predictor(mine).predict(counts)
    assert told["label"].probabilities.std(0).max() > 0.01  # or another model would say the same
    for batch in (1, 2, 12):
        found = answers(path, counts[:batch])
        assert set(found) == {"label", "label_probabilities", "severity"}
        expected = told["label"].probabilities[:batch]
        assert np.allclose(found["label_probabilities"], expected, atol=1e-4)
        assert np.array_equal(found["label"], found["label_probabilities"].argmax(1))
        assert np.allclose(found["severity"], told["severity"].value[:batch], atol=1e-4)
    (check,) = checks
    assert check.real == 24
    assert check.batches[0] == 1
    assert check.batches[-1] > 3
    # Numbers of a system whose weights are drawn reach far beyond those of a trained one.
    of_classes = [value for name, value in check.differences.items() if "probabilities" in name]
    assert max(of_classes, default=0.0) < TOLERANCE / 10
    assert max(check.differences.values()) < TOLERANCE


def as_a_mean(self, images):
    """The binning that exporters turn into a mean."""
    return nn.functional.avg_pool2d(images.float(), self.sizes[0], divisor_override=1)


def test_a_file_that_is_another_model_does_not_appear(small, catalogue, run, tmp_path, monkeypatch):
    monkeypatch.setattr(Bin, "_sums", as_a_mean)
    tiny = "system.branches.classifier.backbone=dnsnet-tiny"
    mine = untrained("single", 4, small, catalogue, run, tiny)
    said = r"model.onnx: the exported model is another .*label_probabilities. by up to 0\.\d+"
    with pytest.raises(ExportError, match=said):
        export_run(mine, "onnx", tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("captured_once")
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"label_probabilities": lambda p: p * 0.99}, r"'label_probabilities' by up to 0\.0"),
        ({"label": lambda value: (value + 1) % 4}, r"'label' by up to "),
        ({"severity": lambda value: value + 0.01}, r"in 'severity' by up to 0\.01"),
        ({"severity": lambda value: value * np.nan}, r"in 'severity' by up to "),
        ({"label_probabilities": lambda p: p[:1]}, r"shape \(1, 4\) where predict gives"),
        ({"label": lambda value: 1 / 0}, r"fails for a batch of 1, .*ZeroDivisionError"),
    ],
)
def test_every_difference_is_found(run, tmp_path, monkeypatch, spoil, said):
    load = check_module.torch_runner

    def spoilt(path, outputs):
        runner, name = load(path, outputs)

        def run(*given):
            said = runner(*given)
            return said | {output: change(said[output]) for output, change in spoil.items()}

        return run, name

    monkeypatch.setattr("crystalvision.export._export.torch_runner", spoilt)
    with pytest.raises(ExportError, match=said):
        export_run(run, "torch-export", tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("captured_once")
def test_a_batch_of_many_is_tried(run, tmp_path, monkeypatch):
    """A file that is right for one pattern at a time, and wrong for more."""
    load = check_module.torch_runner

    def spoilt(path, outputs):
        runner, name = load(path, outputs)

        def only_alone(*given):
            said = runner(*given)
            if len(given[0]) == 1:
                return said
            return {output: np.roll(each, 1, 0) for output, each in said.items()}

        return only_alone, name

    monkeypatch.setattr("crystalvision.export._export.torch_runner", spoilt)
    with pytest.raises(ExportError, match="another than the run's"):
        export_run(run, "torch-export", tmp_path / "model.pt2")


@pytest.mark.usefixtures("captured_once")
@pytest.mark.parametrize("to", SUFFIXES)
def test_it_is_said_what_a_file_was_checked_with(run_path, dataset, to, tmp_path, capsys):
    path = tmp_path / f"model{SUFFIXES[to]}"
    arguments = ["export", str(run_path), "--to", to, "-o", str(path)]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["checked"]
    assert told["real"] == 24
    assert told["patterns"] == 32
    assert str(dataset.path) in told["source"]
    assert max(told["differences"].values()) <= told["tolerance"] == TOLERANCE
    assert said_by(path) == told


@pytest.mark.usefixtures("captured_once")
def test_it_is_said_in_words_what_a_file_was_checked_with(run_path, tmp_path, capsys):
    arguments = ["export", str(run_path), "--to", "torch-export", "-o", str(tmp_path / "a.pt2")]
    assert main(arguments) == 0
    assert "it differs from predict by at most" in capsys.readouterr().out


def said_by(path):
    if path.suffix == ".onnx":
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return json.loads(session.get_modelmeta().custom_metadata_map["crystalvision.checked"])
    extra = {"crystalvision.json": ""}
    torch.export.load(path, extra_files=extra)
    return json.loads(extra["crystalvision.json"])["checked"]


@pytest.mark.usefixtures("captured_once")
def test_other_data_can_be_named(run, other_dataset_path, small, tmp_path):
    checks = []
    other = Dataset.open(other_dataset_path)
    export_run(run, "torch-export", tmp_path / "a.pt2", data=other, on_checked=checks.append)
    assert str(other.path) in checks[0].source
    with pytest.raises(InputError, match=r"holds patterns of shape \(1, 128, 128\).*\(1, 32, 32\)"):
        export_run(run, "torch-export", tmp_path / "b.pt2", data=small)


@pytest.mark.usefixtures("captured_once")
def test_without_its_data_a_run_is_tried_on_drawn_patterns(run, tmp_path):
    away = run.record.dataset.model_copy(update={"path": str(tmp_path / "gone.zarr")})
    moved = replace(run, record=run.record.model_copy(update={"dataset": away}))
    checks = []
    export_run(moved, "torch-export", tmp_path / "model.pt2", on_checked=checks.append)
    assert checks[0].real == 0
    assert "gone.zarr, cannot be read; name other data by -d" in checks[0].source


class Shapely(nn.Module):
    """Does what no exporter can follow: the values decide what is computed."""

    def forward(self, outputs):
        return outputs if float(outputs.sum()) > 0 else -outputs


def test_a_system_that_cannot_be_captured_is_said_in_a_line(run, tmp_path):
    head = run.system.head
    head.forward = lambda features, forward=head.forward: Shapely()(forward(features))
    with pytest.raises(ExportError, match=r"cannot be exported to torch-export: ") as said:
        export_run(run, "torch-export", tmp_path / "model.pt2")
    assert "\n" not in str(said.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_two_exports_to_one_file(run_path, tmp_path):
    path = tmp_path / "model.onnx"
    command = [
        Path(sys.executable).with_name("crystalvision"),
        "export",
        str(run_path),
        "--to",
        "onnx",
    ]
    both = [subprocess.Popen([*command, "-o", str(path)], stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate()[1].decode() for process in both]
    ended = sorted(zip((process.returncode for process in both), said, strict=True))
    assert [status for status, _ in ended] == [0, 1]
    assert "what is there appeared after this command had begun" in ended[1][1]
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]
    assert said_by(path)["patterns"] == 32


@pytest.mark.usefixtures("captured_once")
def test_a_file_that_appears_meanwhile_is_not_replaced(run, tmp_path, monkeypatch):
    path = tmp_path / "model.pt2"
    for overwrite in (False, True):
        destination = check_export("torch-export", path, overwrite=overwrite)
        path.write_text(f"of another {overwrite}")
        with pytest.raises(StorageError, match=r"what is there (appeared|was changed) after"):
            export_run(run, "torch-export", destination)
        assert path.read_text() == f"of another {overwrite}"
    assert [each.name for each in tmp_path.iterdir()] == ["model.pt2"]
