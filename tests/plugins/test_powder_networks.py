"""Networks of powder patterns: the residual one, and the head that knows where a peak lies."""

import pytest
import torch

from crystalvision.errors import InputError
from crystalvision_backbones.resnet_1d import ResNet1d
from crystalvision_backbones.xrdnet import XrdNet
from crystalvision_heads.dense import DenseHead


def test_the_network_of_the_paper_has_dense_layers_of_120_and_84():
    head = DenseHead(64, 1012, (140,))
    widths = [layer.out_features for layer in head.layers if isinstance(layer, torch.nn.Linear)]
    assert [*widths, head.scores.out_features] == [120, 84, 1012]
    maps = XrdNet(1).eval()(torch.rand(2, 1, 2251))  # 5 to 50 degrees in steps of 0.02
    assert maps.shape == (2, 64, 140)
    assert head.eval()(maps).shape == (2, 1012)


def test_the_dense_head_tells_places_apart_that_have_one_mean():
    maps = torch.zeros(2, 3, 8)
    maps[0, :, 1] = maps[1, :, 6] = 1
    head = DenseHead(3, 4, (8,)).eval()
    first, second = head(maps)
    assert not torch.allclose(first, second)
    longer = torch.cat([maps, torch.full((2, 3, 1), 9.0)], dim=2)  # a stride that rounds up
    assert torch.equal(head(longer), head(maps))
    with pytest.raises(InputError, match="built for maps of 8 points, not 7"):
        head(maps[..., :7])


def test_the_dense_head_reads_images_too():
    assert DenseHead(3, 4, (2, 5), hidden=()).eval()(torch.zeros(2, 3, 2, 5)).shape == (2, 4)


def test_a_batch_of_one_has_no_statistics():
    head = DenseHead(3, 4, (8,), batch_norm=True)
    with pytest.raises(InputError, match="batches of at least 2 images, not 1: raise batch_size"):
        head.train()(torch.zeros(1, 3, 8))
    assert head.eval()(torch.zeros(1, 3, 8)).shape == (1, 4)


def test_the_residual_network_halves_at_each_stage():
    network = ResNet1d(2, widths=(8, 12, 16), blocks=(1, 2, 1), kernel=3)
    assert (network.num_features, network.stride, len(network.stages)) == (16, 16, 5)
    assert network.eval()(torch.rand(3, 2, 100)).shape == (3, 16, 7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks": (1, 2)}, r"blocks=\[1, 2\] for 4 widths"),
        ({"kernel": 4}, "kernel=4; expected an odd number"),
    ],
)
def test_a_residual_network_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        ResNet1d(1, **options)
