"""Haralick's texture features."""

from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field, PositiveInt

from crystalvision.contracts import Features
from crystalvision.errors import InputError

_DIRECTIONS = (0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
_PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")


class Haralick(Features):
    """Texture from grey-level co-occurrence, after Haralick et al. (1973), from scikit-image.

    Grey levels divide each image's own range, which is logarithmic in counts, into equal steps.
    Contrast, dissimilarity, homogeneity, energy, correlation and entropy of the symmetric
    co-occurrence matrix are given for each distance as their mean and their range over four
    directions, each channel by itself.

    Args:
        image_shape: Shape (c, h, w) of the images.
        distances_pixels: Distances between the pixels that are compared [pixels].
        levels: Grey levels.

    Raises:
        InputError: A distance that reaches past the image.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        distances_pixels: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 2, 4),
        levels: Annotated[int, Field(ge=2, le=256)] = 32,
    ) -> None:
        side = min(image_shape[1:])
        if max(distances_pixels) >= side:
            raise InputError(
                f"feature 'haralick': distances_pixels={max(distances_pixels)} reaches past "
                f"prepared images of {image_shape[1]}×{image_shape[2]} pixels; choose less than "
                f"{side}"
            )
        self._distances = tuple(distances_pixels)
        self._levels = levels

    def __call__(self, images: Float[np.ndarray, "b c h w"]) -> Float[np.ndarray, "b f"]:
        """Images (b, c, h, w) → means, then ranges, of each property and distance, (b, f)."""
        planes = images.reshape(-1, *images.shape[2:])
        return np.stack([self._texture(plane) for plane in planes]).reshape(len(images), -1)

    def _texture(self, plane: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "f"]:
        from skimage.feature import graycomatrix, graycoprops

        matrix = graycomatrix(
            self._quantise(plane),
            self._distances,
            _DIRECTIONS,
            levels=self._levels,
            symmetric=True,
            normed=True,
        )
        properties = [graycoprops(matrix, name) for name in _PROPERTIES]
        logarithm = np.log2(matrix, out=np.zeros_like(matrix), where=matrix > 0)
        properties.append(-(matrix * logarithm).sum(axis=(0, 1)))
        values = np.stack(properties)  # (property, distance, direction)
        return np.concatenate([values.mean(axis=2), np.ptp(values, axis=2)]).ravel()

    def _quantise(
        self, plane: Float[np.ndarray, "h w"]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        low, high = float(plane.min()), float(plane.max())
        # A constant image has rounding for a range, which must not become texture.
        if high - low < 1e-4:
            return np.zeros(plane.shape, np.uint8)
        scaled = (plane.astype(np.float64) - low) / (high - low) * self._levels
        return np.minimum(scaled, self._levels - 1).astype(np.uint8)
