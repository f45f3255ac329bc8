"""The benchmark of the backbones: what it counts, what it writes, and that it runs."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

from crystalvision.contracts import Backbone

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def part(monkeypatch):
    """Imports a module of the benchmark."""
    monkeypatch.syspath_prepend(FOLDER)
    return lambda name: import_module(f"_models.{name}")


def run(*words):
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(FOLDER / "models.py"), *words],
        capture_output=True,
        text=True,
        check=False,
    )


class Two(Backbone):
    """Two convolutions, the first of which gives no gradient to the images."""

    def __init__(self) -> None:
        super().__init__()
        self.num_features, self.stride = 4, 1
        self.layers = nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(3, 4, 1, bias=False)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


def test_operations_and_bytes_of_training_by_hand(part):
    cost, points = part("cost"), 8 * 8
    first, second = 2 * 3 * 9 * points, 2 * 3 * 4 * points
    assert cost.training_flops(Two(), 8) == 2 * first + 3 * second
    assert cost.training_bytes(Two(), 8) == 4 * points * (3 * 1 + 2 * 3 + 3 * 3 + 2 * 4)


class Event:
    """What the profiler tells of an operation."""

    def __init__(self, name, spent, children=(), shapes=()):
        self.name, self.cpu_time_total, self.cpu_children = name, spent, children
        self.input_shapes = shapes


def test_the_time_of_an_operation_goes_to_what_it_does(part):
    divided = part("profile")._divided
    backward = "autograd::engine::evaluate_function: "
    node = Event(backward + "CatBackward0", 10, [Event("CatBackward0", 6), Event("aten::add_", 3)])
    assert list(divided(node, "cpu")) == [
        ("concatenation", 6), ("adding gradients", 3), ("rest", 1),
    ]  # fmt: skip
    for name, shapes, kind in (
        ("aten::conv2d", [[2, 15, 8, 8]], "convolution"),
        ("aten::conv2d", [[2, 15, 1, 1]], "squeeze-and-excitation"),
        ("aten::batch_norm", [], "batch norm"),
        ("aten::cat", [], "concatenation"),
        ("aten::avg_pool2d", [], "pooling"),
        ("Optimizer.step#SGD.step", [], "optimiser"),
        ("aten::empty", [], "rest"),
    ):
        assert list(divided(Event(name, 5, shapes=shapes), "cpu")) == [(kind, 5)]


def test_wrong_words_are_named(tmp_path):
    done = run("--only", "sped", "--output", str(tmp_path))
    assert done.returncode == 2
    assert "'sped' is no section; expected some of speed, dnsnet, epoch" in done.stderr


@pytest.mark.slow
def test_two_tiny_networks_are_measured_whole(tmp_path):
    words = "--models dnsnet-tiny,ziletti --unit dnsnet-tiny --size 32 --batch 2 --rounds 1"
    done = run(*words.split(), "--threads", "1", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    sections = json.loads((tmp_path / "cpu.json").read_text())["sections"]
    assert set(sections) == {"speed", "dnsnet"}
    speed = sections["speed"]["measured"]
    assert set(speed["models"]) == {"dnsnet-tiny", "ziletti"}
    assert speed["skipped"] == {}
    for model in speed["models"].values():
        assert model["over_unit"]["median"] > 0
        assert model["peak_tensor_mib"] > 0
    for network in sections["dnsnet"]["measured"]["networks"].values():
        assert min(share["median"] for share in network["shares"].values()) >= 0
        assert network["shares"]["convolution"]["median"] > 0
    done = run(*words.split(), "--only", "epoch", "--threads", "1", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    epoch = json.loads((tmp_path / "cpu.json").read_text())["sections"]["epoch"]["measured"]
    assert epoch["variants"]["float32"]["seconds"]["median"] > 0
    assert "| ziletti |" in (tmp_path / "cpu.md").read_text()
    assert (tmp_path / "cpu.png").read_bytes().startswith(b"\x89PNG")


def test_each_gradient_of_a_convolution_costs_what_its_forward_pass_does(part):
    """Also in groups, where torch's own count of the weights' gradient is wrong."""

    class Grouped(Backbone):
        num_features, stride = 8, 1

        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(1, 8, 1, bias=False)
            self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.grouped(self.first(images))

    # The first one's input, the image, needs no gradient.
    assert part("cost").training_flops(Grouped(), 16) == 2 * 16 * 16 * (2 * 8 * 1 + 3 * 8 * 9)
