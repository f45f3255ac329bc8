"""Carries patterns from their own axes onto others; counts are shared out by area."""

from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Axis

Images = np.ndarray[Any, Any]
_LEAST_COVER = 0.5  # of a pixel at the edge


def shares(data: Axis, target: Axis) -> Float[np.ndarray, "t d"]:
    """What each pixel of an axis has of the pixels of another, (target size, data size).

    A pixel's counts lie evenly over its length. A pixel at the edge of which more than half was
    recorded is scaled up to a whole one.

    Args:
        data: The axis on which counts are.
        target: The axis onto which they go, in the same units.
    """
    # In pixels of the data, of which the first begins at 0.
    first = (target.offset - data.offset) / data.scale + 0.5
    length = target.scale / data.scale
    low = first + length * (np.arange(target.size) - 0.5)
    pixel = np.arange(data.size)
    ends = np.minimum((low + length)[:, None], pixel + 1)
    overlap = np.clip(ends - np.maximum(low[:, None], pixel), 0, None)
    cover = overlap.sum(axis=1, keepdims=True) / length
    shared: Float[np.ndarray, "t d"] = np.divide(
        overlap, cover, out=np.zeros_like(overlap), where=cover > 0
    )
    return shared


def covers(data: Axis, target: Axis) -> bool:
    """Whether an axis reaches as far as another, up to half a pixel of that one."""
    slack = (1 - _LEAST_COVER + 1e-6) * target.scale
    low, high = (axis.offset - axis.scale / 2 for axis in (data, target))
    return low <= high + slack and _end(data) >= _end(target) - slack


def carry(images: Images, data: tuple[Axis, ...], target: tuple[Axis, ...]) -> Images:
    """Patterns on other axes, (..., *grid) → (..., *grid2), float32.

    Their counts are conserved where the target holds all that they reach.

    Args:
        images: Counts.
        data: Their axes, one for each of the last dimensions.
        target: The axes that they go onto.
    """
    carried: Images = np.asarray(images, dtype=np.float32)
    for place, (one, other) in enumerate(zip(data, target, strict=True)):
        dimension = place - len(data)
        share = shares(one, other).astype(np.float32)
        carried = np.moveaxis(np.moveaxis(carried, dimension, -1) @ share.T, -1, dimension)
    return np.ascontiguousarray(carried)


def carry_seen(seen: Images, data: tuple[Axis, ...], target: tuple[Axis, ...]) -> Images:
    """Masks on other axes, bool (..., *grid) → (..., *grid2).

    A point was measured where all that went into it was.
    """
    missed = carry(~seen, data, target) > 0
    reached = carry(np.ones(seen.shape[-len(data) :]), data, target) > 0
    return reached & ~missed


def _end(axis: Axis) -> float:
    return axis.offset + axis.scale * (axis.size - 0.5)
