"""Checks that several backbones share."""

import torch

from crystalvision.errors import InputError

_NAMES = {1: "n", 2: "h, w", 3: "d, h, w"}


def check_images(
    backbone: str, images: torch.Tensor, in_channels: int, stride: int, dimensions: int = 2
) -> None:
    """Refuse images that a backbone cannot take.

    Args:
        backbone: Its name, for the error.
        images: Images (b, c, *grid).
        in_channels: Channels that it was built for.
        stride: Its stride, the smallest side [points].
        dimensions: Of the grid.

    Raises:
        InputError: Another shape or number of channels, or images that are too small.
    """
    if images.ndim != dimensions + 2 or images.shape[1] != in_channels:
        raise InputError(
            f"{backbone} was built for images of shape (b, {in_channels}, {_NAMES[dimensions]}), "
            f"not {tuple(images.shape)}"
        )
    if any(side < stride for side in images.shape[2:]):
        least, found = ([stride] * dimensions, images.shape[2:])
        raise InputError(
            f"{backbone} needs images of at least {'×'.join(map(str, least))} pixels, not "
            f"{'×'.join(map(str, found))}"
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
