"""Smaller Dns-Nets: the same class with other numbers."""

from typing import Annotated

from pydantic import Field, PositiveInt

from crystalvision_backbones.dnsnet import DnsNet


def dnsnet_small(
    in_channels: int,
    *,
    blocks: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (4, 4, 4, 4),
    growth: PositiveInt = 12,
    compression: Annotated[float, Field(gt=0, le=1)] = 0.6,
    stem_width: PositiveInt | None = None,
    stem_stride: PositiveInt = 4,
    reduction: PositiveInt = 16,
    final_width: PositiveInt | None = None,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    checkpoint: bool = False,
) -> DnsNet:
    """Dns-Net for images of 128 pixels and training on two CPU cores.

    Measured: about 190 images of 128×128 pixels a second, forward, backward and optimiser step, in
    batches of 32 on two threads; 238,372 weights.

    Args:
        in_channels: See `DnsNet`, for this and all options.
        blocks: Number of modules of each block.
        growth: Channels that each module adds.
        compression: Share of the channels that a transition leaves.
        stem_width: Channels of the first convolution; 2 × growth if not given.
        stem_stride: Stride of the first convolution.
        reduction: Divides channels to give the hidden width of squeeze-and-excitation.
        final_width: Channels of the last convolution; as many as the last block gives, if not
            given.
        dropout: Share of each module's result that training leaves out at random.
        checkpoint: Recompute the modules in the backward pass.
    """
    return DnsNet(
        in_channels,
        blocks=blocks,
        growth=growth,
        compression=compression,
        stem_width=stem_width,
        stem_stride=stem_stride,
        reduction=reduction,
        final_width=final_width,
        dropout=dropout,
        checkpoint=checkpoint,
    )


def dnsnet_tiny(
    in_channels: int,
    *,
    blocks: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (2, 2),
    growth: PositiveInt = 4,
    compression: Annotated[float, Field(gt=0, le=1)] = 0.6,
    stem_width: PositiveInt | None = None,
    stem_stride: PositiveInt = 2,
    reduction: PositiveInt = 16,
    final_width: PositiveInt | None = None,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    checkpoint: bool = False,
) -> DnsNet:
    """Dns-Net as small as it can be, for tests and first tries.

    Args:
        in_channels: See `DnsNet`, for this and all options.
        blocks: Number of modules of each block.
        growth: Channels that each module adds.
        compression: Share of the channels that a transition leaves.
        stem_width: Channels of the first convolution; 2 × growth if not given.
        stem_stride: Stride of the first convolution.
        reduction: Divides channels to give the hidden width of squeeze-and-excitation.
        final_width: Channels of the last convolution; as many as the last block gives, if not
            given.
        dropout: Share of each module's result that training leaves out at random.
        checkpoint: Recompute the modules in the backward pass.
    """
    return DnsNet(
        in_channels,
        blocks=blocks,
        growth=growth,
        compression=compression,
        stem_width=stem_width,
        stem_stride=stem_stride,
        reduction=reduction,
        final_width=final_width,
        dropout=dropout,
        checkpoint=checkpoint,
    )
