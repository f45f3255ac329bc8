"""Run folders: what is in them, and what is said of those that cannot be used."""

import errno
import io
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from crystalvision.errors import InputError, StorageError
from crystalvision.plugins import Catalogue
from crystalvision.runs import Run, check_free, train_run
from crystalvision.runs import _run as run_module
from crystalvision.storage import TakenError, whole_folder
from crystalvision.training import Silent


@pytest.fixture
def copy(run_path, tmp_path) -> Path:
    """A run that may be damaged."""
    return Path(shutil.copytree(run_path, tmp_path / "copy"))


def edit(path: Path, **changes: object) -> None:
    record = yaml.safe_load((path / "run.yaml").read_text())
    (path / "run.yaml").write_text(yaml.safe_dump({**record, **changes}))


def test_a_run_holds_what_is_needed_to_use_it_again(run_path, dataset, experiment):
    assert {path.name for path in run_path.iterdir()} == {
        "run.yaml",
        "weights.safetensors",
        "calibration.json",
        "reference.safetensors",
        "metrics.csv",
        "split.csv",
        "README.txt",
        "figures",
        "tensorboard",
    }
    record = yaml.safe_load((run_path / "run.yaml").read_text())
    assert record["dataset"]["identity"] == dataset.identity
    assert list(record["targets"]) == ["label", "severity"]
    assert record["targets"]["label"]["classes"] == list(dataset.header.class_names)
    assert record["image_shape"] == [1, 32, 32]
    assert record["calibration"][0]["units"] == "1/angstrom"
    assert record["experiment"]["input"] == [{"name": "log1p"}, {"name": "standardise"}]
    assert {(plugin["kind"], plugin["name"]) for plugin in record["plugins"]} == {
        ("input", "log1p"),
        ("input", "standardise"),
        ("backbone", "dnsnet-tiny"),
        ("head", "softmax"),
        ("head", "severity"),
        ("head", "perceptron"),
        ("fusion", "concat"),
        ("task", "classification"),
        ("task", "regression"),
    }
    assert record["environment"]["torch"] == torch.__version__


def test_the_history_and_the_split_read_back(run, dataset):
    epochs = run.epochs()
    assert [epoch.phase for epoch in epochs] == ["classifier"] * 3 + ["regressor"] * 2 + [
        "fusion"
    ] * 4
    assert list(epochs[0].scores) == ["label_accuracy"]
    assert list(epochs[3].scores) == ["severity_mae"]
    assert 0 <= epochs[0].scores["label_accuracy"] <= 1
    header = (run.path / "metrics.csv").read_text().splitlines()[0].split(",")
    assert header[-3:] == ["validation_label_accuracy", "validation_severity_mae", "seconds"]
    split = run.split()
    assert sorted(split) == list(range(len(dataset)))
    assert [index for index in sorted(split) if split[index] == "test"] == dataset.split(
        "test"
    ).tolist()


def test_loading_gives_the_weights_that_were_trained(run, run_path):
    weights = load_file(run_path / "weights.safetensors")
    state = run.system.state_dict()
    assert set(weights) == set(state)
    assert all(torch.equal(weights[key], state[key]) for key in weights)
    assert not run.system.training


def test_the_same_seed_gives_the_same_run(run_path, dataset, experiment, catalogue, tmp_path):
    train_run(experiment, dataset, tmp_path / "again", catalogue=catalogue)
    first, second = (
        (path / "weights.safetensors").read_bytes() for path in (run_path, tmp_path / "again")
    )
    assert first == second


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_that_is_no_run(tmp_path, catalogue, make):
    path = tmp_path / "nothing"
    if make:
        path.mkdir()
    with pytest.raises(InputError, match=r"nothing is no run: it .*crystalvision train writes"):
        Run.load(path, catalogue)


def test_a_run_without_a_model(copy, catalogue):
    (copy / "weights.safetensors").unlink()
    with pytest.raises(InputError, match=r"has no weights.safetensors: the run holds no model"):
        Run.load(copy, catalogue)


def test_weights_that_are_damaged(copy, catalogue):
    data = (copy / "weights.safetensors").read_bytes()
    (copy / "weights.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"weights.safetensors cannot be read: ") as caught:
        Run.load(copy, catalogue)
    assert "\n" not in str(caught.value)


def test_weights_of_another_system(copy, catalogue):
    weights = load_file(copy / "weights.safetensors")
    key = next(key for key in sorted(weights) if weights[key].ndim)
    weights[key] = torch.zeros(7)
    save_file(weights, copy / "weights.safetensors")
    with pytest.raises(InputError, match=r"weights of another system .*has shape \(7,\), expected"):
        Run.load(copy, catalogue)


def test_a_plugin_that_is_not_there_any_more(copy, catalogue):
    entries = [entry for entry in catalogue.entries if entry.name != "dnsnet-tiny"]
    with pytest.raises(
        InputError,
        match=r"was trained with the backbone 'dnsnet-tiny' of crystalvision .*pip install "
        r"'crystalvision'; there are: .*dnsnet, ",
    ):
        Run.load(copy, Catalogue(entries))


def test_a_single_file_plugin_that_was_not_loaded(copy, catalogue):
    record = yaml.safe_load((copy / "run.yaml").read_text())
    record["plugins"][2] |= {"distribution": "./my_backbone.py", "version": ""}
    edit(copy, plugins=record["plugins"])
    entries = [entry for entry in catalogue.entries if entry.name != "dnsnet-tiny"]
    with pytest.raises(
        InputError,
        match=r"of ./my_backbone.py, which is not there; load it with -p ./my_backbone.py",
    ):
        Run.load(copy, Catalogue(entries))


def test_a_record_with_a_wrong_key(copy, catalogue):
    edit(copy, targts={})
    with pytest.raises(InputError, match=r"unknown key 'targts'; did you mean 'targets'"):
        Run.load(copy, catalogue)


def test_a_run_of_before_is_refused_in_a_line(copy, catalogue):
    edit(copy, format=1)
    with pytest.raises(InputError, match=r"run of format 1, .*reads format 2: train it again$"):
        Run.load(copy, catalogue)


def test_a_run_is_not_replaced_unless_asked(copy):
    with pytest.raises(InputError, match=r"holds a run already; use --overwrite"):
        check_free(copy, overwrite=False)
    check_free(copy, overwrite=True)


def test_a_strangers_folder_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"exists and is no run of crystalvision"):
        check_free(tmp_path, overwrite=True)


def test_overwriting_replaces_the_whole_folder(copy, dataset, experiment, catalogue):
    (copy / "evaluations").mkdir()
    train_run(experiment, dataset, copy, catalogue=catalogue, overwrite=True)
    assert not (copy / "evaluations").exists()
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]
    Run.load(copy, catalogue)


def test_an_interrupted_training_leaves_nothing(
    tmp_path, dataset, experiment, catalogue, monkeypatch
):
    def interrupt(*_arguments: object, **_settings: object) -> None:
        raise KeyboardInterrupt

    from crystalvision.runs import _train

    monkeypatch.setattr(_train, "fit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_run(experiment, dataset, tmp_path / "run", catalogue=catalogue)
    assert list(tmp_path.iterdir()) == []


class Notes(Silent):
    """Remembers the epochs that run."""

    def __init__(self, told):
        self.told = told

    def epoch_ended(self, record):
        self.told.append(record)


def test_a_full_disk_is_said_in_one_line_and_costs_no_training(
    tmp_path, dataset, experiment, catalogue, monkeypatch
):
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "write_tensors", full)
    with pytest.raises(StorageError, match=r"cannot be written: No space left on device"):
        train_run(experiment, dataset, tmp_path / "run", catalogue=catalogue)
    monkeypatch.undo()
    told = []  # what was trained is not lost
    run = train_run(
        experiment, dataset, tmp_path / "run", catalogue=catalogue, listener=Notes(told)
    )
    assert told == []
    assert run.epochs()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_unwritable_place_is_found_before_the_training(
    tmp_path, dataset, experiment, catalogue, monkeypatch
):
    from crystalvision.runs import _train

    monkeypatch.setattr(_train, "fit", lambda *_, **__: pytest.fail("it trained"))
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file/run cannot be written: "):
        train_run(experiment, dataset, tmp_path / "file" / "run", catalogue=catalogue)


def test_a_folder_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "deep" / "folder"
    with whole_folder(path) as folder:
        (folder / "a.json").write_text(json.dumps(1))
        assert not path.exists()
    assert (path / "a.json").read_text() == "1"
    with pytest.raises(FileNotFoundError), whole_folder(path, overwrite=True) as folder:
        (folder / "b.json").write_text((folder / "missing.json").read_text())
    assert [found.name for found in path.parent.rglob("*.json")] == ["a.json"]


class Meanwhile(Silent):
    """Puts something where the run shall go, while it trains."""

    def __init__(self, path):
        self.path = path

    def epoch_ended(self, record):
        self.path.mkdir(exist_ok=True)
        (self.path / "thesis.txt").write_text("of another")


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_appears_while_a_run_trains_is_never_replaced(
    tmp_path, dataset, experiment, catalogue, overwrite
):
    path = tmp_path / "run"
    with pytest.raises(
        TakenError, match=r"what is there appeared after .*whole, at .*run-2"
    ) as said:
        train_run(
            experiment,
            dataset,
            path,
            catalogue=catalogue,
            overwrite=overwrite,
            listener=Meanwhile(path),
        )
    assert "\n" not in str(said.value)
    assert (path / "thesis.txt").read_text() == "of another"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["run", "run-2"]
    Run.load(tmp_path / "run-2", catalogue)


def test_what_is_added_to_a_run_that_is_being_replaced_is_kept(
    tmp_path, dataset, experiment, catalogue, run_path
):
    path = tmp_path / "run"
    shutil.copytree(run_path, path)
    with pytest.raises(TakenError, match=r"what is there was changed after"):
        train_run(
            experiment,
            dataset,
            path,
            catalogue=catalogue,
            overwrite=True,
            listener=Meanwhile(path),
        )
    assert (path / "thesis.txt").read_text() == "of another"
    assert Run.load(tmp_path / "run-2", catalogue).epochs()


class FullDisk(io.RawIOBase):
    """A file on a disk that gives errors."""

    def writable(self):
        return True

    def write(self, _content):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_disk_that_fails_under_tensorboard_is_said_in_one_line(
    tmp_path, dataset, experiment, catalogue, monkeypatch, capfd
):
    opened = Path.open

    def failing(path, *arguments, **options):
        if "tfevents" in path.name:
            return io.BufferedWriter(FullDisk())
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(StorageError, match=r"tensorboard cannot be written: Input/output error"):
        train_run(experiment, dataset, tmp_path / "run", catalogue=catalogue)
    assert "Traceback" not in capfd.readouterr().err


def test_tensorboard_reads_what_training_wrote(run_path, run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run_path / "tensorboard"))
    events.Reload()
    rows = run.epochs()
    phase = rows[0].phase
    told = [each.value for each in events.Scalars(f"{phase}/train_loss")]
    expected = [row.train_loss for row in rows if row.phase == phase]
    assert told == pytest.approx(expected, rel=1e-5)


def test_what_the_folder_says_to_a_reader(run_path, dataset):
    text = (run_path / "README.txt").read_text()
    assert "backbone dnsnet-tiny, head softmax" in text
    assert "phase regressor: 2 epochs, kept epoch" in text
    assert dataset.identity in text
    described = {
        line.split()[0].rstrip("/")
        for line in text.splitlines()
        if line[:1].isalpha() and "  " in line
    }
    assert {path.name for path in run_path.iterdir()} - {"README.txt"} <= described
    figures = sorted(path.name for path in (run_path / "figures").iterdir())
    assert figures == ["1-classifier.png", "2-regressor.png", "3-fusion.png"]
    record = yaml.safe_load((run_path / "run.yaml").read_text())
    assert record["dataset"]["provenance"]["kind"] == "made"
    assert record["processes"] == 1


def test_tensorboard_reads_the_curves(run, run_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run_path / "tensorboard")).Reload()
    found = [(each.step, each.value) for each in events.Scalars("fusion/train_loss")]
    rows = [row for row in run.epochs() if row.phase == "fusion"]
    assert [step for step, _ in found] == [row.epoch for row in rows]
    assert [value for _, value in found] == pytest.approx([row.train_loss for row in rows])
