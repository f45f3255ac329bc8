"""The convolution that meets the image, made for any number of channels."""

import math
from typing import Any

import torch
from torch import nn

from crystalvision.errors import InputError

Convolution = nn.Conv1d | nn.Conv2d


def first_convolution(name: str, network: nn.Module) -> tuple[str, Convolution]:
    """The first convolution of a network, with its path in it.

    Args:
        name: The network's name, for the error.
        network: Registers its layers in the order that images meet them.

    Raises:
        InputError: It has none.
    """
    for path, module in network.named_modules():
        if isinstance(module, Convolution):
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
    kind: Any = type(old)  # both take the same, each of as many numbers as it has dimensions
    new: Convolution = kind(
        in_channels,
        old.out_channels,
        old.kernel_size,
        stride=old.stride,
        padding=old.padding,
        bias=old.bias is not None,
    )
    with torch.no_grad():
        spread = old.weight.std() * math.sqrt(old.in_channels / in_channels)
        new.weight.normal_().mul_(spread)
        if new.bias is not None and old.bias is not None:
            new.bias.copy_(old.bias)
    parent, _, attribute = path.rpartition(".")
    setattr(network.get_submodule(parent), attribute, new)


def adapted(weight: torch.Tensor, in_channels: int) -> torch.Tensor:
    """The weights of a first convolution for images of another number of channels.

    Each channel is given the sum over the old channels, divided by the number of new ones: the
    response to a pattern is then what the old network gave of the same pattern as a grey picture,
    whether it is in one channel or repeated in all. A mean over the old channels would weaken the
    response to a third, and the statistics of the normalisation after it would no longer hold.

    Args:
        weight: Weights (o, c, *kernel).
        in_channels: Channels c' of the images.

    Returns:
        Weights (o, c', *kernel).
    """
    if weight.shape[1] == in_channels:
        return weight
    shared = weight.sum(dim=1, keepdim=True) / in_channels
    return shared.repeat_interleave(in_channels, dim=1)
