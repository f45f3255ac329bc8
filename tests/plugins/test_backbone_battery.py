"""What every backbone must do, whoever brings it."""

import pytest
import torch

from crystalvision.contracts import Backbone
from crystalvision.errors import InputError
from crystalvision.models import Branch
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()

every_backbone = pytest.mark.parametrize("name", CATALOGUE.names("backbone"))


def make(name: str, in_channels: int = 1, seed: int = 0, **options: object) -> Backbone:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CATALOGUE.create("backbone", name, options, in_channels=in_channels)


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@every_backbone
@pytest.mark.parametrize("in_channels", [1, 3])
def test_odd_sizes_give_a_map_of_the_declared_width(name, in_channels):
    backbone = make(name, in_channels).eval()
    height, width = backbone.stride + 5, 2 * backbone.stride + 3
    with torch.no_grad():
        maps = backbone(images(2, in_channels, height, width))
    assert maps.shape[:2] == (2, backbone.num_features)
    for side, found in ((height, maps.shape[2]), (width, maps.shape[3])):
        assert side // backbone.stride <= found <= -(-side // backbone.stride)
    assert maps.isfinite().all()
    assert maps.dtype == torch.float32


@every_backbone
def test_the_declared_stride_is_the_true_one_and_the_smallest_image(name):
    backbone = make(name).eval()
    with torch.no_grad():
        for points in (1, 2):
            side = points * backbone.stride
            assert backbone(images(1, 1, side, side)).shape[2:] == (points, points)


@every_backbone
def test_gradients_reach_every_weight(name):
    # All four hidden units of a squeeze may be off for one draw of weights, but not for each.
    reached: dict[str, float] = {}
    for seed in range(3):
        backbone = make(name, seed=seed).train()
        side = backbone.stride + 1
        maps = backbone(images(3, 1, side, side, seed=seed))
        (maps * images(*maps.shape, seed=9)).sum().backward()
        for key, weight in backbone.named_parameters():
            assert weight.grad is not None, f"{key} takes no part in the result"
            assert weight.grad.isfinite().all(), key
            reached[key] = max(reached.get(key, 0), float(weight.grad.abs().max()))
        if all(reached.values()):
            break
    assert [key for key, size in reached.items() if size == 0] == []


@every_backbone
def test_evaluation_is_repeatable_and_does_not_depend_on_the_batch(name):
    backbone = make(name)
    side = backbone.stride + 1
    batch = images(3, 1, side, side)
    with torch.no_grad():
        backbone.train()(images(4, 1, side, side, seed=1))  # so that the statistics are not trivial
        backbone.eval()
        whole = backbone(batch)
        assert torch.equal(whole, backbone(batch))
        # The scale is that of the largest value: rounding differs between batch sizes.
        torch.testing.assert_close(
            backbone(batch[1:2]), whole[1:2], rtol=0, atol=1e-4 * float(whole.abs().max())
        )
        assert not torch.allclose(whole[0], whole[1]), "the result does not depend on the image"


@every_backbone
def test_saved_weights_give_the_same_network(name):
    first, second = make(name, seed=0).eval(), make(name, seed=1).eval()
    batch = images(1, 1, first.stride, first.stride)
    with torch.no_grad():
        assert not torch.equal(first(batch), second(batch))
        second.load_state_dict(first.state_dict())
        assert torch.equal(first(batch), second(batch))


@every_backbone
def test_the_same_seed_gives_the_same_weights(name):
    first, second = make(name, seed=5).state_dict(), make(name, seed=5).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@every_backbone
def test_unknown_options_are_refused(name):
    with pytest.raises(InputError, match=r"has no option 'wibble'.* Its options: "):
        make(name, wibble=1)


@every_backbone
def test_options_of_the_wrong_type_are_refused(name):
    for option in CATALOGUE.entry("backbone", name).options():
        with pytest.raises(InputError, match=rf"option {option.name}=.*\(type "):
            make(name, **{option.name: {"not": "a value"}})


@every_backbone
def test_images_need_a_channel(name):
    with pytest.raises(InputError, match="in_channels=0"):
        make(name, in_channels=0)


@every_backbone
def test_the_smallest_batch_trains_or_says_why_not(name):
    backbone = make(name).train()
    smallest = images(1, 1, backbone.stride, backbone.stride)
    try:
        backbone(smallest)
    except InputError as error:
        refusal = str(error)
    else:
        refusal = None
    assert refusal is None or "batch_size" in refusal


@every_backbone
def test_images_that_do_not_fit_are_refused_in_words(name):
    backbone = make(name)
    side = backbone.stride
    for call in (backbone, Branch("eye", backbone, torch.nn.Identity(), in_channels=1)):
        with pytest.raises(InputError, match=r"\(b, 1, h, w\), not \(1, 3, "):
            call(images(1, 3, side, side))
        if side > 1:
            with pytest.raises(InputError, match=f"at least {side}×{side} pixels, not {side}×"):
                call(images(1, 1, side, side - 1))
