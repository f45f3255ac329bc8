"""What a step of training must at least compute and move, from shapes alone."""

import copy
import math
from typing import Any

import torch
from torch import nn

from crystalvision.contracts import Backbone

_ELEMENT_BYTES = 4


def training_flops(backbone: Backbone, size: int) -> int:
    """Floating-point operations of forward and backward over one image of `size` pixels a side.

    Matrix products and convolutions, two for each multiplication and addition.
    """
    from torch.utils.flop_counter import FlopCounterMode

    mapping = {torch.ops.aten.convolution_backward: _backward_flops}
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        _forward(backbone, size).square().mean().backward()
    return int(counter.get_total_flops()) // _IMAGES


def _backward_flops(
    gradient: torch.Size, _inputs: torch.Size, weights: torch.Size, *rest: Any, **_named: Any
) -> int:
    """Of a convolution's backward pass: each gradient costs what the forward pass does.

    torch 2.15 itself counts the weights' gradient as if each group read all channels.

    Args:
        gradient: Shape of the output's gradient, (b, o, …).
        weights: Shape of the weights, (o, c / groups, …).
        rest: The other arguments; the last one tells which gradients are made.
    """
    of_inputs, of_weights, _ = rest[-1]
    forward = 2 * gradient[0] * math.prod(gradient[2:]) * math.prod(weights)
    return forward * (bool(of_inputs) + bool(of_weights))


def training_bytes(backbone: Backbone, size: int) -> int:
    """Bytes that training on one image must move in float32 if all but convolutions costs nothing.

    A convolution or linear layer reads its input and writes its output; backward it reads both
    again, the output's as a gradient, and writes the gradient of its input. Normalisation,
    activations, concatenation and whatever else goes between are taken as fused into it, and
    weights as too few to count.
    """
    moved = 0

    def count(_module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal moved
        moved += 3 * inputs[0].numel() + 2 * output.numel()

    shadow = _shadow(backbone)
    for module in shadow.modules():
        if isinstance(module, nn.Conv2d | nn.Conv1d | nn.Linear):
            module.register_forward_hook(count)
    shadow(_images(shadow, size))
    return moved * _ELEMENT_BYTES // _IMAGES


_IMAGES = 2
"""A single image may leave one point, over which nothing can be normalised."""


def _shadow(backbone: Backbone) -> Backbone:
    """The network without its data: shapes alone are computed."""
    return copy.deepcopy(backbone).train().to("meta")


def _images(backbone: Backbone, size: int) -> torch.Tensor:
    device = next(backbone.parameters()).device
    return torch.zeros(_IMAGES, 1, size, size, device=device)


def _forward(backbone: Backbone, size: int) -> torch.Tensor:
    shadow = _shadow(backbone)
    maps: torch.Tensor = shadow(_images(shadow, size))
    return maps
