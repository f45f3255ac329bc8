"""A training that is killed and started again ends as if nothing had happened."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from safetensors.torch import load_file

from crystalvision.cli import main
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.runs import train_run
from crystalvision.training import (
    Experiment,
    Silent,
    fit,
    load_patterns,
    read_checkpoint,
    write_checkpoint,
)
from crystalvision_augmentation.dihedral import Dihedral

FILES = ("checkpoint-a.safetensors", "checkpoint-b.safetensors")


class StoppedError(Exception):
    """The training stops here."""


class SystemPrediction:
    """A listener that remembers, and stops the training after some epochs."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.notes: list[str] = []
        self.left = stop_after

    def note(self, text):
        if "validation patterns" not in text:  # there are few in tests, which is said each time
            self.notes.append(text)

    def phase_started(self, name, train, epochs):
        pass

    def epoch_ended(self, record):
        if self.left is not None:
            self.left -= 1
            if not self.left:
                raise StoppedError

    def phase_ended(self, record):
        pass


class Kept:
    """Checkpoints in one file."""

    def __init__(self, path):
        self.path = path

    def latest(self):
        return read_checkpoint(self.path) if self.path.exists() else None

    def save(self, checkpoint):
        write_checkpoint(checkpoint, self.path)


@pytest.fixture(scope="module")
def small_path(make_dataset, tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("small") / "small.zarr", samples=48, size=16)


@pytest.fixture(scope="module")
def dataset(small_path):
    return Dataset.open(small_path)


@pytest.fixture(scope="module")
def patterns(dataset, make_preprocess):
    prepare = make_preprocess(size=16)
    return tuple(
        load_patterns(dataset, dataset.split(name), prepare, dataset.header.targets)
        for name in ("train", "validation")
    )


@pytest.fixture(scope="module")
def run_path(dataset, experiment, catalogue, tmp_path_factory):
    """What the same training is when nothing stops it."""
    path = tmp_path_factory.mktemp("whole") / "run"
    train_run(experiment, dataset, path, catalogue=catalogue)
    return path


@pytest.mark.parametrize(
    ("optimiser", "rate"),
    [
        ("adamw", {"name": "one-cycle", "peak": 0.01}),
        ({"name": "sgd", "momentum": 0.9}, {"name": "steps", "steps": [[1, 0.01], [1, 0.002]]}),
        ("adam", {"name": "plateau", "start": 0.05, "patience": 1}),
    ],
)
def test_stopped_after_every_epoch_it_ends_with_the_same_bits(
    make_system, make_phase, patterns, tmp_path, optimiser, rate
):
    phases = [
        make_phase("classifier", epochs=2, rate=rate, optimiser=optimiser),
        make_phase("fusion", "head", name="fusion", epochs=2, rate=rate, optimiser=optimiser),
    ]
    whole, often = make_system(dropout=0.3), make_system(dropout=0.3)
    expected = fit(whole, phases, *patterns, augment=[Dihedral()], seed=4)
    kept, sessions = Kept(tmp_path / "c.safetensors"), 0
    while True:
        sessions += 1
        often = make_system(dropout=0.3)
        torch.manual_seed(sessions)
        try:
            found = fit(
                often,
                phases,
                *patterns,
                augment=[Dihedral()],
                seed=4,
                listener=SystemPrediction(1),
                checkpoints=kept,
            )
        except StoppedError:
            continue
        break
    assert sessions == 5
    for key, value in whole.state_dict().items():
        assert torch.equal(value, often.state_dict()[key]), key
    rows = [
        [row.model_dump(exclude={"seconds"}) for row in each.epochs] for each in (expected, found)
    ]
    assert rows[0] == rows[1]
    assert [phase.best_epoch for phase in expected.phases] == [
        phase.best_epoch for phase in found.phases
    ]


@pytest.fixture
def stopped(experiment, dataset, catalogue, tmp_path):
    """The folder of a run that was stopped in its second phase."""
    path = tmp_path / "run"
    with pytest.raises(StoppedError):
        train_run(experiment, dataset, path, catalogue=catalogue, listener=SystemPrediction(4))
    return path


def test_a_stopped_run_says_where_it_goes_on_and_ends_as_if_whole(
    stopped, experiment, dataset, catalogue, run_path
):
    assert not stopped.exists()
    told = SystemPrediction()
    train_run(experiment, dataset, stopped, catalogue=catalogue, listener=told)
    assert told.notes == ["continuing from phase regressor, epoch 2 of 2"]
    file = "weights.safetensors"
    assert (stopped / file).read_bytes() == (run_path / file).read_bytes()
    assert [path.name for path in stopped.parent.iterdir()] == ["run"]


def test_another_experiment_is_not_continued(stopped, make_experiment, dataset, catalogue):
    other = Experiment.model_validate(make_experiment(seed=8))
    with pytest.raises(
        InputError,
        match=r"run.partial holds an unfinished training of something else: it differs in "
        r"experiment.seed, 0 there and 8 here; delete it, use --overwrite to discard it",
    ):
        train_run(other, dataset, stopped, catalogue=catalogue)
    told = SystemPrediction(1)
    with pytest.raises(StoppedError):
        train_run(other, dataset, stopped, catalogue=catalogue, listener=told, overwrite=True)
    discarded = [note for note in told.notes if "discarding the unfinished training in" in note]
    assert len(discarded) == 1


def test_other_splits_are_not_continued(stopped, experiment, dataset, catalogue, monkeypatch):
    whole = dataset.split
    monkeypatch.setattr(dataset, "split", lambda name: whole(name)[::-1])
    with pytest.raises(InputError, match=r"it differs in splits.train"):
        train_run(experiment, dataset, stopped, catalogue=catalogue)


def newest(stopped):
    """The newer and the older checkpoint."""
    files = [stopped.with_name("run.partial") / name for name in FILES]
    return sorted(files, key=lambda file: len(read_checkpoint(file).progress.epochs), reverse=True)


def flip(file):
    """Change one bit of a weight."""
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)


def test_a_damaged_checkpoint_costs_an_epoch(stopped, experiment, dataset, catalogue, run_path):
    flip(newest(stopped)[0])
    told = SystemPrediction()
    train_run(experiment, dataset, stopped, catalogue=catalogue, listener=told)
    assert "its checksum is wrong; taking the checkpoint of another epoch" in told.notes[0]
    file = "weights.safetensors"
    assert (stopped / file).read_bytes() == (run_path / file).read_bytes()


def test_checkpoints_that_are_all_damaged_are_refused(stopped, experiment, dataset, catalogue):
    first, second = newest(stopped)
    flip(first)
    second.write_bytes(second.read_bytes()[:1000])
    with pytest.raises(
        InputError, match=r"checkpoint-.*; delete .*\.partial, or use --overwrite, to begin anew"
    ):
        train_run(experiment, dataset, stopped, catalogue=catalogue)
    told = SystemPrediction(1)
    with pytest.raises(StoppedError):
        train_run(experiment, dataset, stopped, catalogue=catalogue, overwrite=True, listener=told)
    assert "it is damaged" in told.notes[0]


def test_a_checkpoint_of_another_system_is_refused(stopped, experiment, dataset, catalogue):
    for file in newest(stopped):
        found = read_checkpoint(file)
        weights = dict(found.system)
        weights.pop(next(iter(sorted(weights))))
        write_checkpoint(type(found)(found.progress, weights, found.best, found.optimiser), file)
    with pytest.raises(InputError, match="the checkpoint holds the weights of another system: '"):
        train_run(experiment, dataset, stopped, catalogue=catalogue)


def test_two_trainings_cannot_write_one_run(stopped, experiment, dataset, catalogue):
    class Second(SystemPrediction):
        def epoch_ended(self, record):
            with pytest.raises(InputError, match=r"another process is training .*run now; wait"):
                train_run(experiment, dataset, stopped, catalogue=catalogue)
            raise StoppedError

    with pytest.raises(StoppedError):
        train_run(experiment, dataset, stopped, catalogue=catalogue, listener=Second())


def test_a_pickle_in_place_of_a_checkpoint_is_never_opened(
    stopped, experiment, dataset, catalogue, tmp_path
):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "executed"),))

    for file in newest(stopped):
        torch.save({"weights": Bomb()}, file)
    with pytest.raises(InputError, match="cannot be read as a checkpoint"):
        train_run(experiment, dataset, stopped, catalogue=catalogue)
    assert not (tmp_path / "executed").exists()


def test_a_folder_of_that_name_that_is_something_else_is_left_alone(
    experiment, dataset, catalogue, tmp_path
):
    (tmp_path / "run.partial").mkdir()
    (tmp_path / "run.partial" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="is in the way, and is no unfinished training"):
        train_run(experiment, dataset, tmp_path / "run", catalogue=catalogue, overwrite=True)
    assert (tmp_path / "run.partial" / "thesis.txt").exists()


def epochs_done(partial):
    """Epochs that the checkpoints in a folder have behind them."""
    done = 0
    for name in FILES:
        if (partial / name).exists():
            done = max(done, len(read_checkpoint(partial / name).progress.epochs))
    return done


def killed(command, partial, delay):
    """Run a command and kill it some time after its first epoch; whether it had ended before."""
    before = epochs_done(partial)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            if epochs_done(partial) > before:
                break
        except InputError:  # it has replaced the file meanwhile
            pass
        time.sleep(0.02)
    time.sleep(delay)
    if process.poll() is not None:
        assert process.returncode == 0
        return True
    process.send_signal(signal.SIGKILL)
    process.wait()
    return False


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [2, 10])
def test_killed_at_random_moments(make_experiment, dataset_path, tmp_path, rounds):
    schedule = [{**phase, "epochs": 20} for phase in make_experiment()["schedule"]]
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(make_experiment(schedule=schedule)))
    line = ["train", str(file), "-d", str(dataset_path), "-o"]
    assert main([*line, str(tmp_path / "whole")]) == 0
    chance, grown = random.Random(1), []
    code = (
        "import sys, torch; from crystalvision.cli import main; torch.set_num_threads(1); "
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *line, str(tmp_path / "often")]
    for _ in range(rounds):
        if killed(command, tmp_path / "often.partial", chance.uniform(0, 0.4)):
            break
        grown.append(epochs_done(tmp_path / "often.partial"))
        assert not (tmp_path / "often").exists()
    assert grown == sorted(set(grown))  # it went on, round by round
    assert len(grown) >= min(rounds, 5)
    if not (tmp_path / "often").exists():
        assert main([*line, str(tmp_path / "often")]) == 0
    one, other = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "often"))
    assert all(torch.equal(value, other[key]) for key, value in one.items())


class _StoppedError(Exception):
    """Ends a training after its first epoch."""


class _Stopping(Silent):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)

    def epoch_ended(self, record):
        raise _StoppedError


@pytest.fixture
def threads():
    yield torch.set_num_threads
    torch.set_num_threads(1)


def _first(told):
    """What was noted first, but for how few validation patterns there are."""
    return next(note for note in told.notes if "validation patterns" not in note)


@pytest.mark.parametrize("keep", [True, False])
def test_it_goes_on_with_as_many_threads_as_it_began_with(
    make_experiment, dataset, tmp_path, catalogue, threads, keep
):
    """Unless the user chose another number, of which then it is told what follows."""
    phases = [{**phase, "epochs": 2} for phase in make_experiment()["schedule"][:1]]
    settings = make_experiment(schedule=phases)
    settings["system"] = {"branches": {"classifier": settings["system"]["branches"]["classifier"]}}
    experiment = Experiment.model_validate(settings)

    def train(name, listener=None):
        return train_run(
            experiment,
            dataset,
            tmp_path / name,
            catalogue=catalogue,
            listener=listener,
            keep_threads=keep,
        )

    threads(2)
    train("whole")
    with pytest.raises(_StoppedError):
        train("stopped", _Stopping())
    threads(1)
    told = _Stopping()
    told.epoch_ended = lambda record: None
    run = train("stopped", told)
    assert torch.get_num_threads() == 1
    assert run.record.environment["threads"] == ("2" if keep else "1")
    if keep:
        assert _first(told).startswith("it goes on with 2 threads, as it began")
        one, other = (
            load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "stopped")
        )
        assert all(torch.equal(value, other[key]) for key, value in one.items())
    else:
        assert _first(told).startswith("it began with 2 threads and goes on with 1: its weights")
