"""Several processes train as one does: each on its part of every batch, and nothing twice."""

import os
import signal

import numpy as np
import pytest
import torch
import yaml

from crystalvision.cli import main
from crystalvision.errors import InputError, TerminatedError
from crystalvision.runs import Run, train_run
from crystalvision.training import Experiment, Machine, Silent, fit, process_group
from crystalvision.training._batches import Batches
from crystalvision.training._patterns import PatternsOnDisk
from crystalvision.training._processes import Share
from crystalvision.training._trainer import interruptible

NAMES = ("classifier", "regressor", "fusion")
VALIDATION = 16


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("count", [10, 11, 33, 37])
def test_each_pattern_is_taken_once_to_validate(size, count):
    targets = {"label": torch.arange(count)}
    images = torch.arange(count).float().reshape(-1, 1, 1, 1)
    ranks = [Batches(images, targets, 8, share=Share(rank, size)) for rank in range(size)]
    taken = [
        label for batches in ranks for _, targets in batches for label in targets["label"].tolist()
    ]
    assert sorted(taken) == list(range(count))
    assert len({len(list(batches)) for batches in ranks}) == 1


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("count", [10, 11, 33, 37])
def test_the_weighted_mean_of_the_processes_is_that_of_the_batch(size, count):
    targets = {"label": torch.arange(count)}
    values = torch.rand(count).reshape(-1, 1, 1, 1)

    def batches(share):
        return list(Batches(values, targets, 16, torch.Generator().manual_seed(3), share))

    shares = [Share(rank, size) for rank in range(size)]
    whole = batches(Share())
    parts = [batches(share) for share in shares]
    for number, (inputs, _) in enumerate(whole):
        means = [
            part[number][0].mean() * share.weight(len(inputs))
            for part, share in zip(parts, shares, strict=True)
        ]
        assert float(sum(means) / size) == pytest.approx(float(inputs.mean()), rel=1e-5)
        assert min(len(part[number][0]) for part in parts) >= min(2, len(inputs))


def test_patterns_on_the_disk_are_shared_likewise(dataset, patterns, make_preprocess):
    indices = dataset.split("validation")
    on_disk = PatternsOnDisk(dataset, indices, make_preprocess(), dataset.header.targets)
    for share in (Share(0, 2), Share(1, 2)):
        found, expected = (
            list(each.batches(12, torch.Generator().manual_seed(1), share))
            for each in (on_disk, patterns[1])
        )
        for one, other in zip(found, expected, strict=True):
            assert torch.equal(one[1]["label"], other[1]["label"])


@pytest.mark.slow
def test_two_processes_train_as_one(make_experiment, dataset_path, tmp_path, catalogue, capsys):
    """Gradients are the same up to rounding and the batch statistics, which are of each part."""
    settings = make_experiment(augment="none")
    settings["schedule"] = [
        {**phase, "epochs": 10, "batch_size": 15} for phase in settings["schedule"]
    ]
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(settings))
    runs = {}
    for count in (1, 2):
        path = tmp_path / str(count)
        line = ["train", file, "-d", dataset_path, "-o", path, "--devices", count]
        assert main([str(each) for each in line]) == 0, capsys.readouterr().err
        runs[count] = Run.load(path, catalogue)
    assert runs[2].record.processes == 2
    assert "2 processes together" in (tmp_path / "2" / "README.txt").read_text()
    ends = {
        count: [[row for row in run.epochs() if row.phase == name][-1] for name in NAMES]
        for count, run in runs.items()
    }
    for one, two in zip(ends[1], ends[2], strict=True):
        if "label_accuracy" in one.scores:
            accuracy = two.scores["label_accuracy"]
            assert accuracy == pytest.approx(one.scores["label_accuracy"], abs=0.15)
            # Sixteen patterns validate: a fraction of any other number was counted twice.
            counted = accuracy * VALIDATION
            assert counted == pytest.approx(round(counted), abs=1e-6)


@pytest.mark.slow
def test_a_frozen_network_trains_the_same_with_two_processes(
    make_experiment, dataset_path, tmp_path, catalogue, dataset
):
    """Without batch statistics, what remains is rounding: the fusion of branches that rest."""
    settings = make_experiment(augment="none")
    settings["system"]["head"] = "softmax"
    settings["schedule"] = [{**settings["schedule"][2], "epochs": 2, "batch_size": 15}]
    experiment = Experiment.model_validate(settings)
    assert len(dataset.split("validation")) == VALIDATION
    for count in (1, 2):
        machine = Machine(devices=count)
        train_run(experiment, dataset, tmp_path / str(count), catalogue=catalogue, machine=machine)
    one, two = (Run.load(tmp_path / name, catalogue) for name in ("1", "2"))
    for mine, theirs in zip(one.epochs(), two.epochs(), strict=True):
        assert theirs.train_loss == pytest.approx(mine.train_loss, rel=1e-4)
        assert theirs.validation_loss == pytest.approx(mine.validation_loss, rel=1e-4)
    weights = two.system.state_dict()
    for key, value in one.system.state_dict().items():
        np.testing.assert_allclose(value, weights[key], rtol=2e-3, atol=2e-5, err_msg=key)


def test_nobody_starts_the_processes_of_a_bare_fit(make_system, make_phase, patterns):
    alone = "2 processes train together only if something starts"
    with pytest.raises(InputError, match=alone), process_group(Machine(devices=2)) as group:
        fit(make_system(), [make_phase("classifier")], *patterns, group=group)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"devices": 0}, "--devices 0: expected 1 or more"),
        ({"accumulate": -1}, "--accumulate -1: expected 1 or more"),
        ({"strategy": "dpp"}, "--strategy dpp: expected auto, ddp, "),
        ({"device": "gpu"}, "--device gpu: expected cpu, cuda or auto"),
    ],
)
def test_machines_that_cannot_be(settings, message):
    with pytest.raises(InputError, match=message):
        Machine.called(**settings)


def test_nodes_need_a_launcher(experiment, dataset, catalogue, tmp_path):
    with pytest.raises(InputError, match="start the command on each node with torchrun"):
        train_run(
            experiment, dataset, tmp_path / "run", catalogue=catalogue, machine=Machine(nodes=2)
        )
    assert list(tmp_path.iterdir()) == []


def test_to_be_terminated_is_no_success():
    with pytest.raises(TerminatedError, match="the same command goes on") as told, interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
    assert told.value.exit_status == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_lightning_does_not_answer_sigterm(make_system, make_phase, patterns):
    """It would exit with status 0, and ask the other processes first, which may hang."""

    class Ending(Silent):
        def epoch_ended(self, record):
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail("it goes on")

    with pytest.raises(TerminatedError, match="the same command goes on"):
        fit(make_system(), [make_phase("classifier")], *patterns, listener=Ending())


def test_a_processor_has_no_float16():
    with pytest.raises(InputError, match="precision 16 needs a GPU"):
        Machine().check_precision("16")
    Machine().check_precision("bf16")
