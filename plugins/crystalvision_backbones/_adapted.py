"""A network of another library as a backbone, and how one is found by name."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import nn

from crystalvision.contracts import Backbone
from crystalvision.errors import InputError
from crystalvision_backbones._checks import check_images
from crystalvision_backbones._geometry import measure

Arguments = Mapping[str, bool | int | float | None]
"""What a network's own constructor may be given."""


class AdaptedBackbone(Backbone):
    """A network without its pooling and classifier, for images of any size from its stride up.

    Width and stride are measured. Some networks, such as AlexNet, pool without padding and lose
    the border: such images get a border of zeros first, just wide enough that one stride of pixels
    gives one point.

    Args:
        name: Its name, for errors.
        network: Images (b, c, h, w) → a map, or tokens.
        in_channels: Channels c of the images.

    Attributes:
        num_features: Channels of the map.
        stride: Pixels for one point of the map.

    Raises:
        InputError: The network takes images of one size alone, or gives no map.
    """

    def __init__(self, name: str, network: nn.Module, in_channels: int) -> None:
        super().__init__()
        self.name = name
        self.in_channels = in_channels
        self.network = network
        self.geometry = measure(name, network, in_channels)
        self.num_features = self.geometry.num_features
        self.stride = self.geometry.stride

    def forward(self, images: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b f h2 w2"]:
        """Features of images: (b, c, h, w) → (b, f, h', w'), h' about h / stride.

        Raises:
            InputError: Images of the wrong shape or smaller than the stride, or, in training, a
                single image that leaves a normalisation a single point.
        """
        check_images(self.name, images, self.in_channels, self.geometry.stride)
        height, width = images.shape[2:]
        if self.geometry.padding:
            before = self.geometry.padding // 2
            after = self.geometry.padding - before
            images = nn.functional.pad(images, (before, after, before, after))
        alone = self.training and len(images) == 1
        maps = self._of_one_image(images) if alone else self.network(images)
        if self.geometry.layout == "tokens":
            patches = maps[:, self.geometry.prefix :].transpose(1, 2)
            maps = patches.unflatten(2, self.geometry.grid(height, width))
        elif self.geometry.layout == "channels last":
            maps = maps.permute(0, 3, 1, 2)
        result: torch.Tensor = maps
        return result

    def _of_one_image(self, images: torch.Tensor) -> Any:
        try:
            return self.network(images)
        except ValueError as error:  # batch normalisation's own check
            if "more than 1 value per channel" not in str(error):
                raise
            raise InputError(
                f"{self.name} normalises over the batch, and one image of this size leaves a "
                "single point: train with batch_size of at least 2, or with larger images"
            ) from error


def check_model(family: str, model: str, known: Iterable[str]) -> None:
    """Refuse a model that a library does not have.

    Args:
        family: The library's name.
        model: The model's name.
        known: The names that there are.

    Raises:
        InputError: No such model, with the nearest names.
    """
    names = list(known)
    if model in names:
        return
    nearest = difflib.get_close_matches(model, names, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(repr(name) for name in nearest)}?" if nearest else ""
    raise InputError(f"{family} has no model '{model}'{hint} (it has {len(names)})")


def build(
    what: str,
    constructor: Callable[..., nn.Module],
    wishes: Iterable[Mapping[str, object]],
    arguments: Arguments | None,
) -> nn.Module:
    """Call a constructor with the first of several wishes that it knows.

    Args:
        what: What is made, for the error.
        constructor: Refuses arguments that it does not know.
        wishes: What the adaptor would like it to be given; the last should be empty.
        arguments: What the user wants it to be given.

    Raises:
        InputError: It knows an argument of the user's not, or refuses its value.
    """
    given = dict(arguments or {})
    refusal: Exception | None = None
    for wish in wishes:
        try:
            return constructor(**{**wish, **given})
        except TypeError as error:
            refusal = error
        except (ValueError, AssertionError, RuntimeError) as error:
            refusal = error
            break
    raise InputError(f"{what} cannot be made with arguments={given}: {refusal}") from refusal
