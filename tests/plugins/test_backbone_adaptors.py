"""Networks of torchvision and timm as backbones."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_backbones.timm_models import timm_backbone
from crystalvision_backbones.torchvision_models import torchvision_backbone

CATALOGUE = Catalogue.load()


def images(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


# timm's own models for tests: every one of its kinds of network, as small as can be.
@pytest.mark.parametrize("model", timm.list_models("test_*"))
def test_a_network_of_timm_is_a_backbone_or_says_why_not(model):
    try:
        backbone = CATALOGUE.create("backbone", f"timm:{model}", in_channels=2).eval()
    except InputError as error:
        assert "does not take images of any size" in str(error)  # noqa: PT017
        assert model in {"test_coatnet", "test_maxvit", "test_vit_relpos"}
        return
    height, width = backbone.stride + 5, 3 * backbone.stride + 3
    with torch.no_grad():
        maps = backbone(images(2, 2, height, width))
        flipped = backbone(images(2, 2, height, width).transpose(2, 3))
    assert maps.shape[:2] == (2, backbone.num_features)
    for side, found in ((height, maps.shape[2]), (width, maps.shape[3])):
        assert side // backbone.stride <= found <= -(-side // backbone.stride)
    assert flipped.shape[2:] == (maps.shape[3], maps.shape[2])


@pytest.mark.parametrize(
    ("model", "stride", "padding"),
    [
        ("mobilenet_v3_small", 32, 0),
        ("squeezenet1_1", 16, 1),
        ("shufflenet_v2_x0_5", 32, 0),
        ("googlenet", 32, 0),
        ("inception_v3", 32, 43),
        ("swin_t", 32, 0),
        ("alexnet", 32, 31),
    ],
)
def test_a_network_of_torchvision_is_a_backbone(model, stride, padding):
    backbone = CATALOGUE.create("backbone", f"torchvision:{model}", in_channels=1).eval()
    assert (backbone.stride, backbone.geometry.padding) == (stride, padding)
    with torch.no_grad():
        maps = backbone(images(1, 1, 2 * stride + 3, 3 * stride))
    assert maps.shape[1] == backbone.num_features
    assert maps.shape[2] in {2, 3}
    assert maps.shape[3] == 3


@pytest.mark.parametrize("model", ["densenet121", "resnet18", "mobilenet_v2"])
def test_the_features_are_those_that_torchvision_pools(model):
    backbone = torchvision_backbone(model, 3).eval()
    original = torchvision.models.get_model(model, weights=None).eval()
    loaded = original.load_state_dict(backbone.network.state_dict(), strict=False)
    assert not loaded.unexpected_keys
    classifier = [item for item in original.modules() if isinstance(item, nn.Linear)][-1]
    seen: list[torch.Tensor] = []
    classifier.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    batch = images(2, 3, 65, 70)
    with torch.no_grad():
        original(batch)
        torch.testing.assert_close(backbone(batch).mean((2, 3)), seen[0])


def test_the_map_of_a_vision_transformer_is_that_of_its_patches():
    backbone = timm_backbone("test_vit", 3).eval()
    batch = images(1, 3, 160, 160)
    with torch.no_grad():
        tokens = backbone.network.forward_features(batch)
        maps = backbone(batch)
    assert maps.shape == (1, 64, 10, 10)
    torch.testing.assert_close(maps[0, :, 2, 3], tokens[0, 1 + 2 * 10 + 3])


def test_the_first_convolution_is_made_for_the_channels_and_answers_as_strongly():
    spread = {}
    for channels in (1, 3, 12):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            stem = torchvision_backbone("resnet18", channels).network.conv1
        assert (stem.in_channels, stem.stride, stem.bias) == (channels, (2, 2), None)
        with torch.no_grad():
            spread[channels] = float(stem(images(4, channels, 64, 64)).std())
    assert spread[1] == pytest.approx(spread[3], rel=0.2)
    assert spread[12] == pytest.approx(spread[3], rel=0.2)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("timm:resnet344", {}, r"^timm has no model 'resnet344'; did you mean 'resnet34' or "),
        ("torchvision:alexnt", {}, r"^torchvision has no model 'alexnt'; did you mean 'alexnet'"),
        ("timm", {"model": "zzzz"}, r"^timm has no model 'zzzz' \(it has \d+\)$"),
        ("torchvision:vit_b_16", {}, "^vit_b_16 does not take images of any size"),
        ("timm", {}, r"backbone 'timm' needs the option 'model'\. Its options: model, "),
        ("resnet18", {"arguments": {"wibble": 1}}, r"cannot be made with arguments=.*'wibble'"),
        ("timm:test_resnet", {"arguments": {"wibble": 1}}, r"test_resnet cannot be made with"),
    ],
)
def test_wrong_uses_are_refused_in_one_line(name, options, message):
    with pytest.raises(InputError, match=message) as caught:
        CATALOGUE.create("backbone", name, options, in_channels=1)
    assert "\n" not in str(caught.value)


def test_arguments_reach_the_network():
    options = {"arguments": {"zero_init_residual": True}}
    backbone = CATALOGUE.create("backbone", "resnet18", options, in_channels=1)
    assert float(backbone.network.layer1[0].bn2.weight.detach().abs().max()) == 0
    options = {"arguments": {"drop_path_rate": 0.5}}
    backbone = CATALOGUE.create("backbone", "timm:test_convnext", options, in_channels=1)
    assert any(type(item).__name__ == "DropPath" for item in backbone.modules())
