"""Dns-Net: a densely connected network with squeeze-and-excitation."""

import itertools
import math
from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import nn

from crystalvision.contracts import Backbone
from crystalvision.errors import InputError
from crystalvision_backbones._checkpoint import recomputed
from crystalvision_backbones._checks import (
    check_batch_statistics,
    check_images,
    check_in_channels,
)
from crystalvision_backbones._initialise import initialise
from crystalvision_backbones._squeeze import SqueezeExcitation
from crystalvision_backbones._weights import load_weights

_SMALL_MAP = 64 * 64  # points


class SqueezeModule(nn.Module):
    """One module of a dense block: normalisation, 3×3 convolution, ReLU, squeeze-and-excitation.

    Args:
        in_channels: Channels of the block's input and of all modules before this one.
        growth: Channels that the module adds.
        reduction: See `SqueezeExcitation`.
        dropout: Share of the result that training leaves out at random.
    """

    def __init__(self, in_channels: int, growth: int, reduction: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.convolution = nn.Conv2d(in_channels, growth, kernel_size=3, padding=1)
        self.excitation = SqueezeExcitation(growth, reduction)
        self.dropout = nn.Dropout(dropout)

    def forward(self, *earlier: torch.Tensor) -> Float[torch.Tensor, "b g h w"]:
        """New maps (b, growth, h, w) from the block's input and all maps since, (b, c_i, h, w)."""
        joined = torch.cat(earlier, dim=1) if len(earlier) > 1 else earlier[0]
        maps = torch.relu_(self.convolution(self.norm(joined)))
        result: torch.Tensor = self.dropout(self.excitation(maps))
        return result


class DenseBlock(nn.Module):
    """Modules of which each sees the block's input and what all modules before it made.

    Args:
        in_channels: Channels c of the input.
        size: Number of modules n.
        growth: Channels g that each module adds.
        reduction: See `SqueezeExcitation`.
        dropout: See `SqueezeModule`.
        checkpoint: Recompute each module in the backward pass; what is kept then grows linearly
            with the number of modules, not quadratically (Pleiss et al. 2017, arXiv:1707.06990).
    """

    def __init__(
        self,
        in_channels: int,
        *,
        size: int,
        growth: int,
        reduction: int,
        dropout: float,
        checkpoint: bool,
    ) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            SqueezeModule(in_channels + number * growth, growth, reduction, dropout)
            for number in range(size)
        )
        self.checkpoint = checkpoint

    def forward(self, maps: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b c2 h w"]:
        """Maps (b, c, h, w) → (b, c + n g, h, w)."""
        made = [maps]
        keep = not (self.checkpoint and torch.is_grad_enabled())
        for step in self.steps:
            made.append(step(*made) if keep else recomputed(step, *made))
        return torch.cat(made, dim=1)


class Transition(nn.Module):
    """Between two blocks: normalisation, ReLU, 1×1 convolution, average pool, squeeze-excitation.

    The paper does not name the 1×1 convolution, but a compression needs it.

    Args:
        in_channels: Channels c of the input.
        out_channels: Channels c' of the result.
        reduction: See `SqueezeExcitation`.
    """

    def __init__(self, in_channels: int, out_channels: int, reduction: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
        self.pool = nn.AvgPool2d(2)
        self.excitation = SqueezeExcitation(out_channels, reduction)

    def forward(self, maps: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b c2 h2 w2"]:
        """Maps (b, c, h, w) → (b, c', ⌊h/2⌋, ⌊w/2⌋)."""
        # Pooling and a 1×1 convolution commute, and four times fewer points are cheaper.
        pooled = self.pool(torch.relu_(self.norm(maps)))
        result: torch.Tensor = self.excitation(self.convolution(pooled))
        return result


class DnsNet(Backbone):
    """Dns-Net: dense blocks of squeeze-and-excitation modules, with transitions between them.

    The defaults are the paper's: 7 blocks of 8 modules, growth 15, a stem of 2 × 15 channels,
    compression 0.6, and so 30→150/90→210/126→246/147→267/160→280/168→288/172→292 channels. Six
    poolings make a stride of 64; images of at least 128 pixels leave the last block 2×2 points.

    Readings of what the paper leaves open. It replaces the last fully connected layer by a 3×3
    convolution, and also puts a penalty on a fully connected layer: here the convolution, in the
    modules' order (normalisation, convolution, ReLU) and of the same width, ends the backbone, and
    the linear layer is the head's. "Depth 184" is near what the text describes: 182 layers with
    weights (stem 1, modules 56, their squeeze-and-excitation 112, the transitions' 12, last 1), or
    188 with the 1×1 convolutions of the transitions. A stem of stride above 2 has a kernel of
    2 × stride − 1, so that no pixel is skipped.

    Args:
        in_channels: Channels c of the images.
        blocks: Number of modules of each block; a transition goes between two blocks.
        growth: Channels that each module adds.
        compression: Share of the channels that a transition leaves, in (0, 1]; rounded down.
        stem_width: Channels of the first convolution; 2 × growth if not given.
        stem_stride: Stride of the first convolution.
        reduction: Divides channels to give the hidden width of squeeze-and-excitation, at least 4.
        final_width: Channels of the last convolution; as many as the last block gives, if not
            given.
        dropout: Share of each module's result that training leaves out at random, in [0, 1).
        checkpoint: Recompute the modules in the backward pass: less memory, more time. Measured at
            256×256 pixels, what is kept of an image falls from 709 to 185 MiB; both grow with the
            number of pixels.
        weights: Weights to begin with: the path of a file .safetensors or .pth, or RUN#BRANCH, a
            branch of another run.

    Attributes:
        num_features: Channels of the last convolution, 292.
        stride: stem_stride × 2 to the number of transitions, 64.

    Raises:
        InputError: An option outside its range, or no such weights.

    Source: Alarfaj & Hosni Mahmoud, Crystals 2022, 12, 1324, doi 10.3390/cryst12091324; Huang et
    al. 2017, arXiv:1608.06993, for dense blocks and compression.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        blocks: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (8, 8, 8, 8, 8, 8, 8),
        growth: PositiveInt = 15,
        compression: Annotated[float, Field(gt=0, le=1)] = 0.6,
        stem_width: PositiveInt | None = None,
        stem_stride: PositiveInt = 1,
        reduction: PositiveInt = 16,
        final_width: PositiveInt | None = None,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        checkpoint: bool = False,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        check_in_channels(in_channels)
        width = 2 * growth if stem_width is None else stem_width
        kernel = max(3, 2 * stem_stride - 1)
        self.in_channels = in_channels
        self.stem = nn.Conv2d(
            in_channels, width, kernel, stride=stem_stride, padding=kernel // 2, bias=False
        )
        widths = channel_widths(blocks, growth, compression, width)
        self.blocks = nn.ModuleList(
            DenseBlock(
                entering,
                size=size,
                growth=growth,
                reduction=reduction,
                dropout=dropout,
                checkpoint=checkpoint,
            )
            for size, (entering, _) in zip(blocks, widths, strict=True)
        )
        self.transitions = nn.ModuleList(
            Transition(leaving, entering, reduction)
            for (_, leaving), (entering, _) in itertools.pairwise(widths)
        )
        width = widths[-1][1]
        self.num_features = width if final_width is None else final_width
        self.stride: int = stem_stride * 2 ** len(self.transitions)
        self.norm = nn.BatchNorm2d(width)
        self.final = nn.Conv2d(width, self.num_features, kernel_size=3, padding=1)
        self.apply(initialise)
        load_weights("dnsnet", self, weights)

    def forward(self, images: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b f h2 w2"]:
        """Features of images: (b, c, h, w) → (b, f, h', w'), h' about h / stride.

        Raises:
            InputError: Images of the wrong shape or smaller than the stride, or, in training, a
                single image that leaves a single point.
        """
        check_images("dnsnet", images, self.in_channels, self.stride)
        maps = self.blocks[0](_laid_out(self.stem(images)))
        for transition, block in zip(self.transitions, self.blocks[1:], strict=True):
            maps = transition(maps)
            if self.training:
                check_batch_statistics("dnsnet", maps.shape[0] * maps[0, 0].numel())
            maps = block(_laid_out(maps))
        return torch.relu_(self.final(self.norm(maps)))


def _laid_out(maps: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b c h w"]:
    """The same maps, laid out as convolutions are quickest in training.

    That is with channels last on a GPU, and on a CPU for small maps: up to 64 × 64 points it was
    measured up to 1.3 times as fast as channels first, and above them up to 1.7 times as slow.
    """
    if maps.is_cuda or maps.shape[-2] * maps.shape[-1] <= _SMALL_MAP:
        return maps.contiguous(memory_format=torch.channels_last)
    return maps


def channel_widths(
    blocks: Sequence[int], growth: int, compression: float, stem_width: int
) -> list[tuple[int, int]]:
    """Channels that enter and leave each dense block.

    Args:
        blocks: Number of modules of each block.
        growth: Channels that each module adds.
        compression: Share of the channels that a transition leaves.
        stem_width: Channels of the stem.

    Raises:
        InputError: A compression that leaves no channel.
    """
    widths: list[tuple[int, int]] = []
    entering = stem_width
    for size in blocks:
        if entering < 1:
            raise InputError(f"compression={compression} leaves no channel; raise it or the growth")
        leaving = entering + size * growth
        widths.append((entering, leaving))
        # 0.6 is no binary fraction: 0.6 × 5 must be 3, not 2.
        entering = math.floor(compression * leaving + 1e-9)
    return widths
