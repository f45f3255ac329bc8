"""The values themselves."""

import numpy as np
from jaxtyping import Float
from pydantic import PositiveInt

from crystalvision.contracts import ANY_DIMENSION, Features
from crystalvision.errors import InputError


class Values(Features):
    """The values of all points, or the means of neighbouring ones along the last axis.

    What a powder pattern is compared by: its whole curve.

    Args:
        image_shape: Shape (c, *grid) of the images.
        points: Points along the last axis that are averaged into one number; what is left over at
            the end is left out.

    Raises:
        InputError: The last axis is shorter.
    """

    dimensions = ANY_DIMENSION

    def __init__(self, image_shape: tuple[int, ...], points: PositiveInt = 1) -> None:
        if points > image_shape[-1]:
            raise InputError(
                f"feature 'values': points={points}, but the last axis has {image_shape[-1]}"
            )
        self._points = points

    def __call__(self, images: Float[np.ndarray, "b c *grid"]) -> Float[np.ndarray, "b f"]:
        """Images (b, c, *grid) → values, (b, f)."""
        parts = images.shape[-1] // self._points
        kept = images[..., : parts * self._points].astype(np.float64)
        means = kept.reshape(*kept.shape[:-1], parts, self._points).mean(axis=-1)
        described: Float[np.ndarray, "b f"] = means.reshape(len(images), -1)
        return described
