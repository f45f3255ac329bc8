"""Branches that see the same pattern in ways of their own."""

import pytest
import torch

from crystalvision.contracts import grid_of
from crystalvision.errors import InputError
from crystalvision.inputs import as_parts, build_preprocess
from crystalvision.models import SystemConfig, build_system
from crystalvision.runs import Run, train_run
from crystalvision.training import Experiment

RAW = {"backbone": "dnsnet-tiny", "head": "softmax"}
POLAR = {
    "backbone": {"name": "ziletti", "widths": [4], "kernel": 3},
    "head": {"name": "dense", "hidden": [8]},
    "input": [{"name": "polar", "radii": 12, "angles": 16}, "sqrt"],
}
JOINED = {"branches": {"eye": RAW, "rings": POLAR}, "fusion": "concat", "head": "perceptron"}


@pytest.fixture
def built(dataset, catalogue, targets):
    axes = dataset.header.axes
    system = build_system(
        SystemConfig.model_validate(JOINED),
        catalogue,
        in_channels=1,
        targets=targets,
        grid=grid_of(axes),
        axes=axes,
    )
    return system.eval()


def test_each_branch_sees_its_own(built, dataset, catalogue):
    images = torch.from_numpy(dataset.images([0, 1, 2]).astype("float32"))
    parts = as_parts(POLAR["input"])
    polar = build_preprocess(parts, catalogue, dataset.header.axes)(images)
    branch = built.branches["rings"]
    assert polar.shape == (3, 1, 12, 16)
    with torch.no_grad():
        assert torch.equal(branch.feature_map(images), branch.backbone(polar))
        eye = built.branches["eye"]
        assert torch.equal(eye.feature_map(images), eye.backbone(images))


def test_an_input_is_no_weight(built):
    assert not [key for key in built.state_dict() if "prepare" in key]


def test_a_system_without_it_is_written_as_before():
    written = SystemConfig.model_validate(JOINED).model_dump(mode="json")["branches"]
    assert "input" not in written["eye"]
    assert written["rings"]["input"] == [
        {"name": "polar", "radii": 12, "angles": 16},
        {"name": "sqrt"},
    ]
    assert SystemConfig.model_validate({**JOINED, "branches": written}).branches["rings"].input


def test_what_a_step_cannot_take_is_refused(dataset, catalogue, targets):
    wrong = {**POLAR, "input": ["snip"]}
    config = SystemConfig.model_validate({**JOINED, "branches": {"eye": RAW, "rings": wrong}})
    axes = dataset.header.axes
    with pytest.raises(InputError, match="snip"):
        build_system(
            config, catalogue, in_channels=1, targets=targets, grid=grid_of(axes), axes=axes
        )


def test_a_run_keeps_it(dataset, catalogue, make_experiment, tmp_path):
    one = {"epochs": 1, "learning_rate": 0.003, "batch_size": 32, "optimiser": "adamw"}
    experiment = Experiment.model_validate(
        make_experiment(
            system=JOINED,
            input=[],
            schedule=[{"name": "all", "train": ["eye", "rings", "fusion", "head"], **one}],
        )
    )
    trained = train_run(experiment, dataset, tmp_path / "run", catalogue=catalogue)
    run = Run.load(tmp_path / "run", catalogue)
    assert [each.name for each in run.record.plugins if each.kind == "input"] == ["polar", "sqrt"]
    images = torch.from_numpy(dataset.images([3, 4]).astype("float32"))
    with torch.no_grad():
        expected, found = trained.system.eval()(images), run.system(images)
    assert torch.equal(found.final, expected.final)
