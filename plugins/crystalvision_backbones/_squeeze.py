"""Squeeze-and-excitation."""

import torch
from jaxtyping import Float
from torch import nn


class SqueezeExcitation(nn.Module):
    """Weighs each channel by what all channels say on average over the image.

    Global average pool, convolution and ReLU, convolution and sigmoid, scale. The hidden width is
    max(4, channels // reduction): a reduction of 16 would leave nothing of 15 channels.

    Args:
        channels: Channels c.
        reduction: Divides the channels to give the hidden width.

    Source: Hu et al. 2018, arXiv:1709.01507.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(4, channels // reduction)
        self.squeeze = nn.Conv2d(channels, hidden, kernel_size=1)
        self.excite = nn.Conv2d(hidden, channels, kernel_size=1)

    def forward(self, maps: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b c h w"]:
        """Maps (b, c, h, w), each channel scaled by a factor in (0, 1)."""
        mean = maps.mean(dim=(2, 3), keepdim=True)
        weights = torch.sigmoid(self.excite(torch.relu(self.squeeze(mean))))
        return maps * weights
