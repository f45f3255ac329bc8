"""Histograms of oriented gradients."""

import numpy as np
from jaxtyping import Float
from pydantic import PositiveInt

from crystalvision.contracts import Features
from crystalvision.errors import InputError


class Hog(Features):
    """Histograms of oriented gradients, after Dalal and Triggs (CVPR 2005), from scikit-image.

    They keep where on the detector an edge lies and how it runs, so they are not invariant under
    rotation of the crystal. Each channel is described by itself.

    Args:
        image_shape: Shape (c, h, w) of the images.
        cell_pixels: Side of a cell [pixels].
        block_cells: Side of the block of cells over which histograms are normalised [cells].
        orientations: Bins of a histogram, over 180°.

    Raises:
        InputError: Images smaller than a block.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        cell_pixels: PositiveInt = 16,
        block_cells: PositiveInt = 2,
        orientations: PositiveInt = 9,
    ) -> None:
        _, height, width = image_shape
        least = cell_pixels * block_cells
        if min(height, width) < least:
            raise InputError(
                f"feature 'hog': a block of {block_cells}×{block_cells} cells of "
                f"cell_pixels={cell_pixels} needs {least}×{least} pixels, but prepared images have "
                f"{height}×{width}; lower cell_pixels, or bin less (input.bin.size)"
            )
        self._settings = {
            "orientations": orientations,
            "pixels_per_cell": (cell_pixels, cell_pixels),
            "cells_per_block": (block_cells, block_cells),
            "block_norm": "L2-Hys",
        }

    def __call__(self, images: Float[np.ndarray, "b c h w"]) -> Float[np.ndarray, "b f"]:
        """Images (b, c, h, w) → normalised histograms of each channel, (b, f)."""
        from skimage.feature import hog

        planes = images.reshape(-1, *images.shape[2:])
        described = np.stack([hog(plane, **self._settings) for plane in planes])
        return described.reshape(len(images), -1)
