"""How parameters and operations are counted."""

import pytest
import torch
from torch import nn

from crystalvision.errors import InputError
from crystalvision.models import count_parameters, flops


def test_parameters_are_those_that_train():
    module = nn.Sequential(nn.Conv2d(2, 3, 5), nn.BatchNorm2d(3), nn.Linear(3, 4))
    module[2].requires_grad_(requires_grad=False)
    assert count_parameters(module) == 2 * 3 * 25 + 3 + 6


def test_operations_of_a_convolution_by_hand():
    convolution = nn.Conv2d(2, 3, 5, padding=2, stride=2)
    assert flops(convolution, 2, 12) == 2 * 2 * 3 * 25 * 6 * 6


def test_counting_changes_nothing():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    before = {key: value.clone() for key, value in module.state_dict().items()}
    flops(module, 1, 8)
    assert module.training
    for key, value in module.state_dict().items():
        assert value.device == torch.device("cpu")
        assert torch.equal(value, before[key])


def test_an_image_below_the_stride_is_refused():
    module = nn.Conv2d(1, 1, 3)
    with pytest.raises(InputError, match="size=0: this network needs at least 1×1"):
        flops(module, 1, 0)


class Prober(nn.Module):
    """Looks at a value of its input, which the meta device does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layer(images) * float(images.max())


def test_a_network_that_looks_at_values_is_counted_too():
    assert flops(Prober(), 1, 4) == 2 * 2 * 16
