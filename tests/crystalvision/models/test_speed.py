"""Memory and speed of a backbone, as measured."""

import math

import pytest
import torch
from torch import nn

from crystalvision.contracts import Backbone
from crystalvision.models import TrainingStep, measure_speed, peak_memory

CPU = torch.device("cpu")
MIB = 2**20


class Conv(Backbone):
    """One convolution of 64 pixels to one; dropout, so that it draws random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.num_features, self.stride = 16, 8
        self.conv = nn.Conv2d(1, 16, 8, stride=8, bias=False)
        self.dropout = nn.Dropout(0.5)
        self.batches: list[int] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(images))
        return self.dropout(self.conv(images))


def test_the_peak_counts_what_is_held_at_one_time():
    weight = torch.zeros(MIB // 4)  # 1 MiB
    with peak_memory(CPU, [weight, weight[:10]]) as peak:
        first = weight + 1
        second = first * 2
        del first
        third = (second.view(2, -1) + 1).flatten()
        del second, third
        last = torch.empty(0)
    assert last.numel() == 0
    assert peak.bytes == 3 * MIB


def test_the_peak_sees_what_the_backward_pass_holds():
    weight = torch.ones(MIB // 4, requires_grad=True)
    with peak_memory(CPU, [weight]) as peak:
        (weight.exp().exp()).sum().backward()  # keeps both results
    # The weight, two results and two gradients; a scalar or two besides.
    assert 4 * MIB <= peak.bytes <= 5 * MIB + 1024


def test_a_step_trains_without_learning():
    backbone = Conv()
    before = backbone.conv.weight.detach().clone()
    step = TrainingStep(backbone, torch.randn(2, 1, 16, 16))
    step()
    step()
    assert backbone.training
    assert backbone.conv.weight.grad.abs().max() > 0
    assert torch.equal(backbone.conv.weight, before)
    sizes = sorted(tensor.numel() for tensor in step.held())
    assert sizes == [512, 1024, 1024]  # images, weights, momentum


def test_what_is_measured_of_a_backbone():
    backbone, state = Conv(), torch.random.get_rng_state()
    found = measure_speed(backbone, in_channels=1, size=64, batch=3, device=CPU, seconds=0.0)
    assert (found.device, found.batch) == ("cpu", 3)
    assert found.threads == torch.get_num_threads()
    # Weights, gradients and momentum of 1024 each, 3 images of 64×64, and their maps and masks.
    least = 4 * (3 * 1024 + 3 * 64 * 64 + 3 * 16 * 64)
    assert least <= MIB * found.peak_training_mib <= least + 4 * 4 * (3 * 16 * 64) + 1024
    for rate in (found.training_images_per_s, found.inference_images_per_s):
        assert math.isfinite(rate)
        assert rate > 0
    assert set(backbone.batches) == {3}
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_cannot_train_says_why():
    class Normalised(Conv):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            maps = self.conv(images)
            return torch.nn.functional.batch_norm(maps, None, None, training=True)

    with pytest.raises(ValueError, match="more than 1 value per channel"):
        measure_speed(Normalised(), in_channels=1, size=8, device=CPU)
