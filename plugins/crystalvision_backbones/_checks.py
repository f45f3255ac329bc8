"""Checks that several backbones share."""

import torch

from crystalvision.errors import InputError


def check_images(backbone: str, images: torch.Tensor, in_channels: int, stride: int) -> None:
    """Refuse images that a backbone cannot take.

    Args:
        backbone: Its name, for the error.
        images: Images (b, c, h, w).
        in_channels: Channels that it was built for.
        stride: Its stride, the smallest side [pixels].

    Raises:
        InputError: Another shape or number of channels, or images that are too small.
    """
    if images.ndim != 4 or images.shape[1] != in_channels:
        raise InputError(
            f"{backbone} was built for images of shape (b, {in_channels}, h, w), not "
            f"{tuple(images.shape)}"
        )
    if min(images.shape[2:]) < stride:
        raise InputError(
            f"{backbone} needs images of at least {stride}×{stride} pixels, not "
            f"{images.shape[2]}×{images.shape[3]}"
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
