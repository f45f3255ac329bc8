"""Grey pictures that are stored in colours, with a label or a bar in colour burnt in."""

from typing import Any

import numpy as np
from jaxtyping import Bool

Array = np.ndarray[Any, Any]

_ROUNDED = 2  # of 255: by what the channels of a grey picture differ after a change of colour space
_MOST_COLOURED = 0.2  # of the pixels: more is a map of colours, or a photograph
_ALIKE = "is a picture of {} channels that are all alike; one is read"
_NEARLY = "is a picture of {} channels that differ by up to {}; their median is read"
_MASKED = (
    "is a grey picture of {} channels with {:,} pixels in colour ({:.2g} %), such as of a bar or a "
    "label, which are masked as not seen"
)


def grey_of_colours(image: Array) -> tuple[Array, Bool[np.ndarray, "h w"] | None, str] | None:
    """The grey picture in one of several channels; `None` for one that is truly in colours.

    Args:
        image: Of three channels or more, (c, h, w).

    Returns:
        The grey values (1, h, w), where nothing is in colour (h, w) or `None` for everywhere, and
        what to say of it.
    """
    channels = len(image)
    apart = image.max(axis=0).astype(np.float64) - image.min(axis=0)
    if not apart.any():
        return image[:1], None, _ALIKE.format(channels)
    middle = np.sort(image, axis=0)[channels // 2][None]
    least = _ROUNDED if image.dtype == np.uint8 else 0
    coloured = apart > least
    if not coloured.any():
        return middle, None, _NEARLY.format(channels, int(apart.max()))
    share = float(coloured.mean())
    if share > _MOST_COLOURED:
        return None
    seen = ~_with_edges(coloured)
    return middle, seen, _MASKED.format(channels, int(coloured.sum()), 100 * share)


def _with_edges(coloured: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Pixels in colour and those that touch them, into which their edges are smoothed."""
    padded = np.pad(coloured, 1)
    h, w = coloured.shape
    found = np.zeros_like(coloured)
    for row in range(3):
        for column in range(3):
            found |= padded[row : row + h, column : column + w]
    return found
