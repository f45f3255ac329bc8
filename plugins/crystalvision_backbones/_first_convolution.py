"""The convolution that meets the image, made for any number of channels."""

import math

import torch
from torch import nn

from crystalvision.errors import InputError


def first_convolution(name: str, network: nn.Module) -> tuple[str, nn.Conv2d]:
    """The first convolution of a network, with its path in it.

    Args:
        name: The network's name, for the error.
        network: Registers its layers in the order that images meet them.

    Raises:
        InputError: It has none.
    """
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            return path, module
    raise InputError(f"{name} begins with no convolution, and so cannot be made for other channels")


def set_in_channels(name: str, network: nn.Module, in_channels: int) -> None:
    """Replace the first convolution by one for images of another number of channels.

    Its weights are drawn anew, from a normal distribution under which the response to images of
    unit variance is as strong as before.

    Args:
        name: The network's name, for errors.
        network: Changed in place.
        in_channels: Channels of the images.

    Raises:
        InputError: The network begins with no convolution.
    """
    path, old = first_convolution(name, network)
    if old.in_channels == in_channels:
        return
    new = nn.Conv2d(
        in_channels,
        old.out_channels,
        (old.kernel_size[0], old.kernel_size[1]),
        stride=(old.stride[0], old.stride[1]),
        padding=old.padding if isinstance(old.padding, str) else (old.padding[0], old.padding[1]),
        bias=old.bias is not None,
    )
    spread = float(old.weight.detach().std()) * math.sqrt(old.in_channels / in_channels)
    with torch.no_grad():
        new.weight.normal_(0.0, spread)
        if new.bias is not None and old.bias is not None:
            new.bias.copy_(old.bias)
    parent, _, attribute = path.rpartition(".")
    setattr(network.get_submodule(parent), attribute, new)
