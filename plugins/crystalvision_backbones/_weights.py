"""Weights to begin a training with: from a file, from a run's branch, or trained on ImageNet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from crystalvision.errors import InputError
from crystalvision.models import read_trained_branch
from crystalvision_backbones._first_convolution import adapted, first_convolution
from crystalvision_backbones._weight_files import read_file

State = dict[str, torch.Tensor]

IMAGENET = "imagenet"
_INSTEAD = "imagenet, the path of a file .safetensors or .pth, or "


@dataclass(frozen=True, slots=True)
class Published:
    """Where the weights of a network that was trained on ImageNet may lie on this machine.

    Attributes:
        places: Files that will do, the one that we ask for first.
        origin: Where its maker gives that file, for the error.
        rename: Brings its keys to those of today.
    """

    places: Sequence[Path]
    origin: str
    rename: Callable[[str], str] = str


def checkpoints() -> Path:
    """Where PyTorch keeps downloaded weights on this machine; `TORCH_HOME` moves it."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def load_weights(
    name: str,
    network: nn.Module,
    weights: str | None,
    *,
    published: Callable[[], Published | None] = lambda: None,
    readers: Sequence[str] = (),
) -> None:
    """Load what the option `weights` of a backbone names; nothing is downloaded or unpickled.

    The first convolution is adapted to the channels of the images.

    Args:
        name: The backbone's name, for errors.
        network: Changed in place.
        weights: None, "imagenet", the path of a file, or `RUN#BRANCH`.
        published: Finds weights trained on ImageNet; gives None where there are none.
        readers: Layers that read the feature map in a whole network and are no part of this one:
            their weights in a file are left.

    Raises:
        InputError: No such weights, or weights of another architecture.
    """
    if weights is None:
        return
    source, state = _read(name, weights, published)
    path, stem = first_convolution(name, network)
    key = f"{path}.weight"
    if (
        key in state
        and state[key].shape != stem.weight.shape
        and state[key].ndim == stem.weight.ndim
    ):
        state[key] = adapted(state[key], stem.in_channels)
    own = {
        key: value
        for key, value in state.items()
        if not any(key.startswith(f"{reader}.") for reader in readers)
    }
    _check(name, source, network.state_dict(), own)
    network.load_state_dict(own, strict=False)


def _read(name: str, weights: str, published: Callable[[], Published | None]) -> tuple[str, State]:
    """What the option names, and its weights under the network's own keys."""
    rename: Callable[[str], str] = str
    if weights == IMAGENET:
        found = published()
        if found is None:
            raise InputError(
                f"weights=imagenet: there are no ImageNet weights of {name}; expected the path of "
                "a file, or RUN#BRANCH"
            )
        source = str(_at_hand(name, found))
        state, rename = read_file(Path(source)), found.rename
    elif Path(weights).is_file():
        source, state = weights, read_file(Path(weights))
    else:
        source, state = weights, read_trained_branch(weights, _INSTEAD).part("backbone")
    if all(key.startswith("network.") for key in state):  # an adapted backbone's, saved by itself
        state = {key.removeprefix("network."): value for key, value in state.items()}
    return source, {rename(key): value for key, value in state.items()}


def _at_hand(name: str, published: Published) -> Path:
    for place in published.places:
        if place.is_file():
            return place
    raise InputError(
        f"weights=imagenet: those of {name} are not on this machine, and nothing is downloaded: "
        f"save {published.origin} as {published.places[0]}"
    )


def _check(name: str, source: str, expected: Mapping[str, torch.Tensor], found: State) -> None:
    """Refuse weights of another architecture.

    Raises:
        InputError: The first key or shape that differs.
    """
    what = f"weights of {source} are of another architecture than {name}"
    for key, value in expected.items():
        if key not in found:
            if key.endswith("num_batches_tracked"):
                continue  # files of old versions of torch lack it, and it changes nothing
            raise InputError(f"{what}: they have no '{key}'")
        if found[key].shape != value.shape:
            raise InputError(
                f"{what}: '{key}' has shape {tuple(found[key].shape)}, expected "
                f"{tuple(value.shape)}"
            )
    for key in found:
        if key not in expected:
            raise InputError(f"{what}, which has no '{key}'")
