"""Adaptation to patterns without labels: batch statistics move, weights do not."""

import numpy as np
import pytest
import torch
from torch import nn

from crystalvision.api.runs import Run
from crystalvision.cli import main
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.prediction import Predictor
from crystalvision.runs._adapt import adapt_statistics


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5)).eval()


def test_statistics_become_those_of_the_patterns_and_nothing_else_changes():
    system, images = small(), torch.randn(12, 1, 6, 6) * 3 + 2
    before = {key: value.clone() for key, value in system.state_dict().items()}
    assert adapt_statistics(system, [images[:6], images[6:]], prior=0) == 12
    seen = system[0](images).detach()
    assert torch.allclose(system[1].running_mean, seen.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(system[1].running_var, seen.var((0, 2, 3)), rtol=0.1)
    assert not system.training
    assert system[1].momentum == 0.1
    changed = {key for key, value in system.state_dict().items() if not value.equal(before[key])}
    assert changed == {"1.running_mean", "1.running_var"}


def test_few_patterns_move_statistics_little():
    images = torch.randn(4, 1, 6, 6) + 5
    whole, part = small(), small()
    adapt_statistics(whole, [images], prior=0)
    adapt_statistics(part, [images], prior=12)
    start = small()[1].running_mean
    quarter = start + (whole[1].running_mean - start) / 4
    assert torch.allclose(part[1].running_mean, quarter, atol=1e-6)


def test_what_cannot_be_adapted_is_refused():
    with pytest.raises(InputError, match="have no batch normalisation"):
        adapt_statistics(nn.Linear(2, 2), [], prior=0)
    with pytest.raises(InputError, match="1 patterns are too few"):
        adapt_statistics(small(), [torch.randn(1, 1, 6, 6)], prior=0)


def test_an_adapted_run_says_so_and_can_be_asked(run_path, other_dataset_path, tmp_path, capsys):
    data = Dataset.open(other_dataset_path)
    dim = np.stack([image[0] // 3 for image in data.images(np.arange(12))])
    np.save(tmp_path / "dim.npy", dim)
    line = ["adapt", str(run_path), str(tmp_path / "dim.npy"), "-o", str(tmp_path / "new")]
    assert main([*line, "--prior", "4"]) == 0
    assert "adapted to 12 patterns" in " ".join(capsys.readouterr().out.split())
    made, old = Run.load(tmp_path / "new"), Run.load(run_path)
    assert made.record.adapted.patterns == 12
    assert old.record.adapted is None
    assert "12 patterns without" in (made.path / "README.txt").read_text()
    changed = [
        key
        for key, value in made.system.state_dict().items()
        if not value.equal(old.system.state_dict()[key])
    ]
    assert changed
    assert all("running_" in key for key in changed)
    predictor = Predictor.load(made.path)
    assert not predictor.calibrated
    assert len(predictor.predict(dim)["label"].names) == 12
    assert main(line) == 2
    assert "holds a run already" in capsys.readouterr().err
