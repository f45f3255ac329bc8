"""The networks of Ziletti et al. and Wang et al. as their papers have them."""

import pytest
import torch
from torch import nn

from crystalvision.models import count_parameters
from crystalvision_backbones.xrdnet import XrdNet
from crystalvision_backbones.ziletti import Ziletti


def test_the_network_of_ziletti_has_365719_weights_at_64_pixels_and_7_classes():
    backbone = Ziletti(3)
    with torch.no_grad():
        points = backbone.eval()(torch.zeros(1, 3, 64, 64)).numel()
    assert points == 8 * 16 * 16
    dense = [nn.Linear(points, 128), nn.ReLU(), nn.BatchNorm1d(128), nn.Linear(128, 7)]
    whole = nn.Sequential(backbone, nn.Flatten(), *dense)
    # The paper counts the running statistics of the batch normalisation too.
    state = whole.state_dict()
    counted = sum(item.numel() for item in state.values() if item.is_floating_point())
    assert counted == 365_719
    assert count_parameters(backbone) == 102_032
    assert whole.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 7)


def test_the_convolutions_of_ziletti_are_those_of_the_paper():
    layers = [item for item in Ziletti(3).layers if not isinstance(item, nn.ReLU | nn.Dropout)]
    told = [
        (item.out_channels, item.kernel_size) if isinstance(item, nn.Conv2d) else "pool"
        for item in layers
    ]
    side = (7, 7)
    assert told == [
        *((32, side), (32, side), "pool"),
        *((16, side), (16, side), "pool"),
        *((8, side), (8, side)),
    ]


def test_xrdnet_is_the_papers_chain_of_one_dimensional_layers():
    """Its weights in `Conv1d` and `MaxPool1d` give the same features."""
    backbone = XrdNet(1).eval()
    layers: list[nn.Module] = []
    for item in backbone.layers:
        if isinstance(item, nn.Conv1d):
            layer = nn.Conv1d(item.in_channels, item.out_channels, 5, padding=2)
            layer.load_state_dict(item.state_dict())
            layers += [layer, nn.ReLU(), nn.MaxPool1d(2)]
    pattern = torch.randn(2, 1, 901, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = backbone(pattern)
        assert maps.shape == (2, 64, 901 // 16)
        torch.testing.assert_close(maps, nn.Sequential(*layers)(pattern))
    assert [item.out_channels for item in layers if isinstance(item, nn.Conv1d)] == [6, 16, 32, 64]
    assert (backbone.stride, backbone.dimensions) == (16, {1})


@pytest.mark.parametrize("network", [Ziletti, XrdNet])
def test_dropout_is_for_training_alone(network):
    backbone = network(1, dropout=0.5)
    (dimensions,) = backbone.dimensions
    image = torch.rand(1, 1, *[32] * dimensions, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.equal(backbone.train()(image), backbone(image))
        assert torch.equal(backbone.eval()(image), backbone(image))
