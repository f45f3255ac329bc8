"""How large and how costly a network is."""

import copy

import torch
from torch import nn

from crystalvision.errors import InputError


def count_parameters(module: nn.Module) -> int:
    """Number of weights that training can change."""
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def flops(module: nn.Module, in_channels: int, size: int) -> int:
    """Floating-point operations of one forward pass over one square image.

    Counts matrix products and convolutions, a multiplication and an addition each as one
    (`torch.utils.flop_counter`). Nothing is computed: shapes alone tell.

    Args:
        module: A network of images; it is not changed.
        in_channels: Channels of the image.
        size: Side of the image [pixels].

    Raises:
        InputError: A size below one, or below the module's stride.
    """
    from torch.utils.flop_counter import FlopCounterMode

    least = int(getattr(module, "stride", 1))
    if size < least:
        raise InputError(f"size={size}: this network needs at least {least}×{least} pixels")
    # On the meta device, tensors have shapes but no data.
    shadow = copy.deepcopy(module).to("meta").eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        shadow(torch.zeros(1, in_channels, size, size, device="meta"))
    return int(counter.get_total_flops())
