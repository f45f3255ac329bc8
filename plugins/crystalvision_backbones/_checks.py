"""Checks that several backbones share."""

import torch

from crystalvision.errors import InputError


def check_images(
    backbone: str, images: torch.Tensor, in_channels: int, stride: int | tuple[int, int]
) -> None:
    """Refuse images that a backbone cannot take.

    Args:
        backbone: Its name, for the error.
        images: Images (b, c, h, w).
        in_channels: Channels that it was built for.
        stride: Its stride, the smallest side [pixels]; a pair where rows and columns differ.

    Raises:
        InputError: Another shape or number of channels, or images that are too small.
    """
    if images.ndim != 4 or images.shape[1] != in_channels:
        raise InputError(
            f"{backbone} was built for images of shape (b, {in_channels}, h, w), not "
            f"{tuple(images.shape)}"
        )
    rows, columns = (stride, stride) if isinstance(stride, int) else stride
    height, width = images.shape[2:]
    if height < rows or width < columns:
        raise InputError(
            f"{backbone} needs images of at least {rows}×{columns} pixels, not {height}×{width}"
        )


def check_batch_statistics(backbone: str, values: int) -> None:
    """Refuse to normalise over a batch with a single value for each channel.

    Args:
        backbone: Its name, for the error.
        values: How many values of a channel are averaged over: b × h' × w' of the smallest map.

    Raises:
        InputError: A batch of one image whose map is a single point.
    """
    if values < 2:
        raise InputError(
            f"{backbone} normalises over the batch, and one image of this size leaves a single "
            "point: train with batch_size of at least 2, or with larger images"
        )


def check_in_channels(in_channels: int) -> None:
    """Refuse images without channels.

    Raises:
        InputError: Fewer than one channel.
    """
    if in_channels < 1:
        raise InputError(f"in_channels={in_channels}: images have at least one channel")
