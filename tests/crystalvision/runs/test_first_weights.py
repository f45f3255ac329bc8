"""A training that begins with the weights of another run."""

import re
import shutil

import pytest
import torch

from crystalvision.errors import InputError
from crystalvision.runs import Run, train_run
from crystalvision.training import Experiment


@pytest.fixture
def make_transfer(make_experiment):
    """An experiment of one branch and one short phase, which begins with given weights."""

    def make(backbone: str, **options: object) -> Experiment:
        branches = {"eye": {"backbone": {"name": backbone, **options}, "head": "softmax"}}
        described = make_experiment()
        phase = {**described["schedule"][0], "name": "eye", "train": ["eye"], "epochs": 1}
        return Experiment.model_validate(
            {**described, "system": {"branches": branches}, "schedule": [phase]}
        )

    return make


def test_a_branch_of_a_run_gives_its_weights(run_path, run, catalogue):
    options = {"weights": f"{run_path}#regressor"}
    backbone = catalogue.create("backbone", "dnsnet-tiny", options, in_channels=1)
    expected = run.system.branches["regressor"].backbone.state_dict()
    found = backbone.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[key], value) for key, value in expected.items())


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        ("#eye", r"the run has no branch 'eye'; expected .*#classifier or .*#regressor$"),
        ("", r"it has several branches; expected .*#classifier or .*#regressor$"),
    ],
)
def test_a_branch_that_is_not_there_is_refused(run_path, catalogue, suffix, message):
    options = {"weights": f"{run_path}{suffix}"}
    with pytest.raises(InputError, match=message):
        catalogue.create("backbone", "dnsnet-tiny", options, in_channels=1)


def test_a_branch_of_another_architecture_is_refused(run_path, catalogue):
    source = f"{run_path}#classifier"
    with pytest.raises(InputError, match=f"^weights of {re.escape(source)} are of another archit"):
        catalogue.create("backbone", "ziletti", {"weights": source}, in_channels=1)


def test_the_run_is_not_needed_once_the_transfer_is_trained(
    run_path, dataset, catalogue, make_transfer, tmp_path
):
    source = shutil.copytree(run_path, tmp_path / "source")
    experiment = make_transfer("dnsnet-tiny", weights=f"{source}#classifier")
    train_run(experiment, dataset, tmp_path / "second", catalogue=catalogue)
    shutil.rmtree(source)
    second = Run.load(tmp_path / "second", catalogue)
    assert second.record.experiment.system.branches["eye"].backbone.options == {
        "weights": f"{source}#classifier"
    }
    # A run of one branch needs no '#'.
    options = {"weights": str(tmp_path / "second")}
    third = catalogue.create("backbone", "dnsnet-tiny", options, in_channels=1).state_dict()
    expected = second.system.branches["eye"].backbone.state_dict()
    assert all(torch.equal(third[key], value) for key, value in expected.items())


def test_a_run_with_a_member_of_a_family_is_loaded_and_gives_its_weights(
    dataset, catalogue, make_transfer, tmp_path
):
    experiment = make_transfer("timm:test_resnet")
    train_run(experiment, dataset, tmp_path / "run", catalogue=catalogue)
    run = Run.load(tmp_path / "run", catalogue)
    assert "timm:test_resnet" in [plugin.name for plugin in run.record.plugins]
    options = {"weights": f"{tmp_path / 'run'}#eye"}
    again = catalogue.create("backbone", "timm:test_resnet", options, in_channels=1).state_dict()
    expected = run.system.branches["eye"].backbone.state_dict()
    assert all(torch.equal(again[key], value) for key, value in expected.items())


def begun_as(make_experiment, weights: object, **branch: object) -> Experiment:
    """The fused system, of which only fusion and final head train; one branch begins trained."""
    described = make_experiment()
    described["system"]["branches"]["classifier"] |= {"weights": str(weights), **branch}
    described["schedule"] = [{**described["schedule"][2], "epochs": 1}]
    return Experiment.model_validate(described)


def test_a_branch_begins_as_the_branch_of_a_run_and_stays_so(
    run_path, run, dataset, catalogue, make_experiment, tmp_path
):
    source = shutil.copytree(run_path, tmp_path / "source")
    experiment = begun_as(make_experiment, f"{source}#classifier")
    train_run(experiment, dataset, tmp_path / "second", catalogue=catalogue)
    shutil.rmtree(source)
    second = Run.load(tmp_path / "second", catalogue)
    states = [each.system.branches["classifier"].state_dict() for each in (run, second)]
    assert {key.partition(".")[0] for key in states[0]} == {"backbone", "head"}
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    other = [each.system.branches["regressor"].state_dict() for each in (run, second)]
    assert not all(torch.equal(value, other[1][key]) for key, value in other[0].items())


@pytest.mark.parametrize(
    ("weights", "branch", "message"),
    [
        ("#regressor", {}, "has the head 'softmax', but that of .* has 'severity'; .* alone: move"),
        ("#classifier", {"backbone": "ziletti"}, "has the backbone 'ziletti', .*'dnsnet-tiny'"),
        (
            "#classifier",
            {"backbone": {"name": "dnsnet-tiny", "growth": 6}},
            r"cannot begin with .*: 'backbone\..*' has shape .* there and .* here",
        ),
        ("#eye", {}, "the run has no branch 'eye'; expected .*#classifier or .*#regressor$"),
        ("/nowhere#eye", {}, "no such run; expected RUN#BRANCH such as"),
    ],
)
def test_a_branch_that_does_not_fit_is_refused(
    run_path, dataset, catalogue, make_experiment, tmp_path, weights, branch, message
):
    experiment = begun_as(make_experiment, f"{run_path}{weights}", **branch)
    with pytest.raises(InputError, match=message):
        train_run(experiment, dataset, tmp_path / "second", catalogue=catalogue)


def test_weights_are_named_once(make_experiment):
    backbone = {"name": "dnsnet-tiny", "weights": "a#b"}
    with pytest.raises(ValueError, match="both the branch and its backbone have `weights`"):
        begun_as(make_experiment, "a#b", backbone=backbone)
