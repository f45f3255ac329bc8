"""How large and how costly a network is."""

import copy

import torch
from torch import nn

from crystalvision.contracts import Backbone, dimensions_of, strides
from crystalvision.errors import InputError


def count_parameters(module: nn.Module) -> int:
    """Number of weights that training can change."""
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def flops(module: nn.Module, in_channels: int, size: int) -> int:
    """Floating-point operations of one forward pass over one image, all of whose sides are alike.

    Counts matrix products and convolutions, two operations for each multiplication and addition
    (`torch.utils.flop_counter`). Shapes alone tell, so as a rule nothing is computed.

    Args:
        module: A network of images; it is not changed.
        in_channels: Channels of the image.
        size: Side of the image [pixels].

    Raises:
        InputError: A size below one, or below the module's stride.
    """
    dimensions = min(dimensions_of(module)) if isinstance(module, Backbone) else 2
    stride = getattr(module, "stride", 1)
    if isinstance(module, Backbone):
        least = max(strides(module, dimensions))
    else:
        least = stride if isinstance(stride, int) else 1  # a convolution's own stride is a tuple
    if size < least:
        sides = "×".join([str(least)] * dimensions)
        raise InputError(f"size={size}: this network needs at least {sides} pixels")
    shadow = copy.deepcopy(module).eval()
    images = torch.zeros(1, in_channels, *[size] * dimensions)
    try:
        # On the meta device, tensors have shapes but no data.
        return _count(copy.deepcopy(shadow).to("meta"), images.to("meta"))
    except RuntimeError:  # a network that makes tensors of its own, or looks at values
        weight = next(shadow.parameters(), images)
        return _count(shadow, images.to(weight.device, weight.dtype))


@torch.no_grad()
def _count(module: nn.Module, images: torch.Tensor) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(images)
    return int(counter.get_total_flops())
