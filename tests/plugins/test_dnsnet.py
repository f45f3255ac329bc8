"""Dns-Net as the paper has it, and its options."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from crystalvision.errors import InputError
from crystalvision.models import count_parameters, flops
from crystalvision_backbones.dnsnet import DnsNet, SqueezeModule, Transition, channel_widths
from crystalvision_backbones.dnsnet_presets import dnsnet_small, dnsnet_tiny

TABLE = [(30, 150), (90, 210), (126, 246), (147, 267), (160, 280), (168, 288), (172, 292)]
"""Channels that enter and leave each dense block of the paper's network."""


@pytest.fixture(scope="module")
def literal() -> DnsNet:
    with torch.device("meta"):
        return DnsNet(1)


def test_the_channels_are_those_of_the_paper():
    assert channel_widths((8,) * 7, 15, 0.6, 30) == TABLE


def test_the_channels_of_the_maps_follow_the_table(literal):
    found: list[torch.Tensor] = []
    for block in literal.blocks:
        block.register_forward_hook(lambda _, given, made: found.extend([given[0], made]))
    with torch.no_grad():
        maps = literal.eval()(torch.zeros(1, 1, 128, 128, device="meta"))
    assert [item.shape[1] for item in found] == [width for row in TABLE for width in row]
    assert [item.shape[2] for item in found[::2]] == [128, 64, 32, 16, 8, 4, 2]
    assert maps.shape == (1, 292, 2, 2)
    assert (literal.num_features, literal.stride) == (292, 64)


def test_the_literal_network_has_182_layers_or_188_with_its_transitions(literal):
    layers = [item for item in literal.modules() if isinstance(item, nn.Conv2d | nn.Linear)]
    compressions = [item for item in literal.modules() if isinstance(item, Transition)]
    assert (len(layers) - len(compressions), len(layers)) == (182, 188)


def test_size_and_cost_of_the_literal_network(literal):
    assert count_parameters(literal) == 2_393_178
    # Two operations for each multiplication and addition; squeeze-and-excitation costs little.
    stem = 9 * 30 * 128**2
    last = 9 * 292 * 292 * 2**2
    expected = stem + last
    for level, (entering, leaving) in enumerate(TABLE):
        points = (128 >> level) ** 2
        expected += 9 * 15 * points * sum(range(entering, leaving, 15))
        if level:
            expected += TABLE[level - 1][1] * entering * points
    assert flops(literal, 1, 128) == pytest.approx(2 * expected, rel=1e-3)


def test_squeeze_and_excitation_never_has_fewer_than_four_hidden_units():
    assert SqueezeModule(30, 15, 16, 0.0).excitation.squeeze.out_channels == 4
    assert SqueezeModule(30, 160, 16, 0.0).excitation.squeeze.out_channels == 10


def test_a_module_is_normalisation_convolution_relu_squeeze_and_excitation():
    module = SqueezeModule(6, 4, 16, 0.0).train()
    first, second = torch.randn(2, 2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    joined = torch.cat([first, second[:, :2]], dim=1)
    normalised = nn.functional.batch_norm(joined, None, None, training=True)
    weights = module.convolution
    maps = nn.functional.conv2d(normalised, weights.weight, weights.bias, padding=1).relu()
    squeeze, excite = module.excitation.squeeze, module.excitation.excite
    scale = excite(squeeze(maps.mean((2, 3), keepdim=True)).relu()).sigmoid()
    torch.testing.assert_close(module(first, second[:, :2]), maps * scale)


def test_a_transition_is_the_papers_whatever_order_is_quicker():
    transition = Transition(6, 3, 16).eval()
    maps = torch.randn(2, 6, 7, 9, generator=torch.Generator().manual_seed(0))
    wide = transition.convolution(transition.norm(maps).relu())
    expected = transition.excitation(nn.functional.avg_pool2d(wide, 2))
    assert transition(maps).shape == (2, 3, 3, 4)
    torch.testing.assert_close(transition(maps), expected)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_checkpointing_changes_nothing_but_memory(dropout):
    states = []
    images = torch.randn(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    for checkpoint in (False, True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = dnsnet_tiny(1, checkpoint=checkpoint, dropout=dropout).train()
            for _ in range(2):
                network(images).square().sum().backward()
        gradients = {key: item.grad for key, item in network.named_parameters()}
        states.append((gradients, network.state_dict()))
    for plain, recomputed in zip(*states, strict=True):
        for key, value in plain.items():
            torch.testing.assert_close(recomputed[key], value, msg=lambda text, key=key: key + text)


def test_checkpointing_keeps_fewer_tensors():
    kept = []
    for checkpoint in (False, True):
        network = dnsnet_tiny(1, blocks=(6,), checkpoint=checkpoint).train()
        sizes: dict[int, int] = {}

        def keep(tensor: torch.Tensor, sizes: dict[int, int] = sizes) -> torch.Tensor:
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            network(torch.zeros(2, 1, 32, 32))
        kept.append(sum(sizes.values()))
    assert kept[1] < 0.5 * kept[0]


@pytest.mark.parametrize(("stride", "kernel"), [(1, 3), (2, 3), (3, 5), (4, 7)])
def test_the_stem_sees_every_pixel(stride, kernel):
    network = dnsnet_tiny(1, stem_stride=stride)
    assert network.stem.kernel_size == (kernel, kernel)
    assert network.stride == 2 * stride
    image = torch.zeros(1, 1, 24, 24, requires_grad=True)
    network.stem(image).abs().sum().backward()
    assert image.grad is not None
    network.stem.weight.data.fill_(1.0)
    network.stem(image).sum().backward()
    assert (image.grad != 0).all()


def test_every_number_is_an_option():
    network = DnsNet(
        2,
        blocks=(1, 3),
        growth=5,
        compression=1.0,
        stem_width=7,
        stem_stride=2,
        reduction=1,
        final_width=11,
        dropout=0.1,
    )
    assert [len(block.steps) for block in network.blocks] == [1, 3]
    assert network.stem.out_channels == 7
    assert network.blocks[1].steps[0].norm.num_features == 12
    assert network.blocks[0].steps[0].excitation.squeeze.out_channels == 5
    assert (network.num_features, network.stride) == (11, 4)
    assert network(torch.zeros(1, 2, 8, 8)).shape == (1, 11, 2, 2)


def test_a_compression_that_leaves_nothing_is_refused():
    with pytest.raises(InputError, match=r"compression=0.01 leaves no channel"):
        DnsNet(1, compression=0.01, growth=2)


def test_one_small_image_cannot_be_normalised_and_the_error_says_so():
    network = dnsnet_tiny(1)
    image = torch.zeros(1, 1, network.stride, network.stride)
    with pytest.raises(InputError, match="leaves a single point: train with batch_size of at"):
        network.train()(image)
    assert network.eval()(image).shape[2:] == (1, 1)


def test_the_presets_are_the_same_class_and_smaller():
    for preset in (dnsnet_small, dnsnet_tiny):
        assert type(preset(1)) is DnsNet
    assert count_parameters(dnsnet_tiny(1)) < 10_000
    # Two CPU cores must train it on more than 150 images of 128 pixels a second.
    assert flops(dnsnet_small(1), 1, 128) < 80e6


TRAINING_STEP = """
import resource
import sys

import torch

from crystalvision_backbones.dnsnet import DnsNet

torch.set_num_threads(2)
network = DnsNet(1, checkpoint=True).train()
image = torch.rand(1, 1, 1024, 1024)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
network(image).square().mean().backward()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
unit = 1 if sys.platform == "darwin" else 1024
print(grown * unit / 2**30)
"""


@pytest.mark.slow
def test_the_literal_network_trains_on_1024_pixels_within_12_gib():
    """In a process of its own: the peak of this one is that of all tests before."""
    line = [sys.executable, "-c", TRAINING_STEP]
    told = subprocess.run(line, check=True, capture_output=True, text=True, timeout=1800)
    assert float(told.stdout) < 12
