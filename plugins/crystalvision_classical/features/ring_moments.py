"""Counting statistics in rings about the direct beam."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field, PositiveFloat

from crystalvision.contracts import Features
from crystalvision.errors import InputError

Binnings = Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)]


class RingMoments(Features):
    """Factorial moments of counts, and the share of empty pixels, in rings about the direct beam.

    Of n events spread evenly, c(c − 1) and c(c − 1)(c − 2) have the mean of the square and cube of
    the expected count: counting noise adds nothing to them, as it does to powers of c. So their
    means over a ring tell how unevenly the intensity is spread there, Bragg spots against diffuse
    scattering, at any dose and however the crystal is turned about the beam. Several binnings look
    at several distances between pixels. Means of counts are divided by that of the whole image, and
    the others by its powers; roots make all of them numbers of one size. Give raw counts: an input
    that is not linear makes them mean nothing.

    Args:
        image_shape: Shape (c, h, w) of the images.
        centre: Row and column of the direct beam [pixels].
        ring_pixels: Width of a ring [pixels of the images].
        binnings: Squares of so many pixels are summed, each number a set of rings of its own.

    Raises:
        InputError: A binning of more pixels than the image has, or fewer than two rings.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        centre: tuple[float, float],
        ring_pixels: PositiveFloat = 4.0,
        binnings: Binnings = (1, 2, 4),
    ) -> None:
        _, height, width = image_shape
        reach = min(centre[0], height - 1 - centre[0], centre[1], width - 1 - centre[1]) + 0.5
        if int(reach / ring_pixels) < 2:
            raise InputError(
                f"feature 'ring-moments': ring_pixels={ring_pixels:g} leaves "
                f"{max(0, int(reach / ring_pixels))} rings between the direct beam and the edge, "
                f"{reach:g} pixels away; make them narrower"
            )
        self._rings = [
            _Rings(image_shape[1:], centre, ring_pixels, reach, binning) for binning in binnings
        ]

    def __call__(self, images: Float[np.ndarray, "b c h w"]) -> Float[np.ndarray, "b f"]:
        """Images (b, c, h, w) → for each binning and channel four numbers a ring, (b, f)."""
        counts = images.astype(np.float64)
        scale = counts.mean(axis=(2, 3), keepdims=True)[..., 0]
        scale[scale <= 0] = 1.0
        parts = [rings.describe(counts, scale) for rings in self._rings]
        return np.concatenate(parts, axis=2).reshape(len(images), -1)


class _Rings:
    """Rings of one binning."""

    def __init__(
        self,
        grid: Sequence[int],
        centre: tuple[float, float],
        ring_pixels: float,
        reach: float,
        binning: int,
    ) -> None:
        self.binning = binning
        self.sizes = tuple(size // binning for size in grid)
        if min(self.sizes) < 1:
            raise InputError(
                f"feature 'ring-moments': squares of {binning}×{binning} pixels do not fit images "
                f"of {grid[0]}×{grid[1]}; give smaller binnings"
            )
        middle = (binning - 1) / 2
        y, x = (np.arange(size) * binning + middle for size in self.sizes)
        radius = np.hypot((y - centre[0])[:, None], (x - centre[1])[None, :]).ravel()
        ring = np.minimum(radius / ring_pixels, np.iinfo(np.int32).max).astype(np.intp)
        within = np.flatnonzero(ring < int(reach / ring_pixels))
        self.order = within[np.argsort(ring[within], kind="stable")]
        counts = np.bincount(ring[within])
        self.counts = counts[counts > 0]  # a narrow ring may hold no square
        self.starts = np.cumsum(self.counts) - self.counts

    def describe(
        self, counts: Float[np.ndarray, "b c h w"], scale: Float[np.ndarray, "b c 1"]
    ) -> Float[np.ndarray, "b c f"]:
        """Four numbers a ring: roots of three moments, and the share of empty squares."""
        rows, columns = self.sizes
        size = self.binning
        squares = counts[..., : rows * size, : columns * size]
        squares = squares.reshape(*counts.shape[:2], rows, size, columns, size).sum(axis=(3, 5))
        c = squares.reshape(*counts.shape[:2], -1)[..., self.order]
        unit = scale * size**2
        first = self._means(c) / unit
        second = np.sqrt(np.maximum(self._means(c * (c - 1)), 0)) / unit
        third = np.cbrt(self._means(c * (c - 1) * (c - 2))) / unit
        empty = self._means((c < 0.5).astype(np.float64))
        return np.concatenate([first, second, third, empty], axis=2)

    def _means(self, values: Float[np.ndarray, "b c n"]) -> Float[np.ndarray, "b c rings"]:
        sums: Float[np.ndarray, "b c rings"] = np.add.reduceat(values, self.starts, axis=2)
        return sums / self.counts
