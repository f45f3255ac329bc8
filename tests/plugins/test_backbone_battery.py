"""What every backbone must do, whoever brings it."""

import copy
from functools import lru_cache

import pytest
import torch

from crystalvision.contracts import Backbone, stride_pair
from crystalvision.errors import InputError
from crystalvision.models import Branch
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()

# An entry with an option that must be given is a family, such as timm: its members are tested.
NAMES = [
    name
    for name in CATALOGUE.names("backbone")
    if not any(option.required for option in CATALOGUE.entry("backbone", name).options())
]


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """One backbone after the other, so that each is made but a few times."""
    return request.param


@lru_cache(maxsize=4)
def made(name: str, in_channels: int, seed: int) -> Backbone:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CATALOGUE.create("backbone", name, {}, in_channels=in_channels)


def make(name: str, in_channels: int = 1, seed: int = 0) -> Backbone:
    return copy.deepcopy(made(name, in_channels, seed))


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def batch_for(backbone: Backbone, samples: int, points: int = 1, extra: int = 0) -> torch.Tensor:
    """Images of so many points of the map a side, and some pixels more."""
    rows, columns = stride_pair(backbone)
    return images(samples, 1, points * rows + extra, points * columns + extra)


@pytest.mark.parametrize("in_channels", [1, 2])
def test_odd_sizes_give_a_map_of_the_declared_width(name, in_channels):
    backbone = make(name, in_channels).eval()
    strides = stride_pair(backbone)
    sides = (strides[0] + 5, 2 * strides[1] + 3)
    with torch.no_grad():
        maps = backbone(images(2, in_channels, *sides))
    assert maps.shape[:2] == (2, backbone.num_features)
    for side, stride, found in zip(sides, strides, maps.shape[2:], strict=True):
        assert side // stride <= found <= -(-side // stride)
    assert maps.isfinite().all()
    assert maps.dtype == torch.float32


def test_the_declared_stride_is_the_true_one_and_the_smallest_image(name):
    backbone = make(name).eval()
    with torch.no_grad():
        for points in (1, 2):
            assert backbone(batch_for(backbone, 1, points)).shape[2:] == (points, points)


def test_gradients_reach_every_weight(name):
    # All four hidden units of a squeeze may be off for one draw of weights, but not for each.
    reached: dict[str, float] = {}
    for seed in range(3):
        backbone = make(name, seed=seed).train()
        maps = backbone(batch_for(backbone, 3, extra=1))
        (maps * images(*maps.shape, seed=9)).sum().backward()
        for key, weight in backbone.named_parameters():
            assert weight.grad is not None, f"{key} takes no part in the result"
            assert weight.grad.isfinite().all(), key
            reached[key] = max(reached.get(key, 0), float(weight.grad.abs().max()))
        if all(reached.values()):
            break
    assert [key for key, size in reached.items() if size == 0] == []


def test_evaluation_is_repeatable_and_does_not_depend_on_the_batch(name):
    backbone = make(name)
    batch = batch_for(backbone, 3, extra=1)
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # or the first guess of the statistics would drown the images
    with torch.no_grad():
        backbone.train()(images(4, *batch.shape[1:], seed=1))
        backbone.eval()
        whole = backbone(batch)
        assert torch.equal(whole, backbone(batch))
        # The scale is that of the largest value: rounding differs between batch sizes.
        torch.testing.assert_close(
            backbone(batch[1:2]), whole[1:2], rtol=0, atol=1e-4 * float(whole.abs().max())
        )
        assert not torch.allclose(whole[0], whole[1]), "the result does not depend on the image"


def test_saved_weights_give_the_same_network(name):
    first, second = make(name, seed=0).eval(), make(name, seed=1).eval()
    batch = batch_for(first, 1)
    with torch.no_grad():
        assert not torch.equal(first(batch), second(batch))
        second.load_state_dict(first.state_dict())
        assert torch.equal(first(batch), second(batch))


def test_the_same_seed_gives_the_same_weights(name):
    first = made(name, 1, 0).state_dict()
    second = made.__wrapped__(name, 1, 0).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_unknown_options_are_refused(name):
    with pytest.raises(InputError, match=r"has no option 'wibble'.* Its options: "):
        CATALOGUE.create("backbone", name, {"wibble": 1}, in_channels=1)


def test_options_of_the_wrong_type_are_refused(name):
    for option in CATALOGUE.entry("backbone", name).options():
        with pytest.raises(InputError, match=rf"option {option.name}=.*\(type "):
            CATALOGUE.create("backbone", name, {option.name: {"not": "a value"}}, in_channels=1)


def test_images_need_a_channel(name):
    with pytest.raises(InputError, match="in_channels=0"):
        CATALOGUE.create("backbone", name, {}, in_channels=0)


def test_the_smallest_batch_trains_or_says_why_not(name):
    backbone = make(name).train()
    try:
        backbone(batch_for(backbone, 1))
    except InputError as error:
        refusal = str(error)
    else:
        refusal = None
    assert refusal is None or "batch_size" in refusal


def test_images_that_do_not_fit_are_refused_in_words(name):
    backbone = make(name)
    rows, columns = stride_pair(backbone)
    for call in (backbone, Branch("eye", backbone, torch.nn.Identity(), in_channels=1)):
        with pytest.raises(InputError, match=r"\(b, 1, h, w\), not \(1, 3, "):
            call(images(1, 3, rows, columns))
        if columns > 1:
            with pytest.raises(InputError, match=f"at least {rows}×{columns} pixels, not {rows}×"):
                call(images(1, 1, rows, columns - 1))
