"""The radial profile of a pattern."""

import numpy as np
from jaxtyping import Float
from pydantic import PositiveFloat

from crystalvision.contracts import Features
from crystalvision.errors import InputError


class RadialProfile(Features):
    """Mean and spread of the intensity in rings about the direct beam.

    The mean tells diffuse from coherent scattering at each scattering angle; the spread, the
    standard deviation within a ring, tells Bragg spots from rings and diffuse scattering. Neither
    changes when the crystal turns about the beam. Rings reach to the nearest edge of the image.

    Args:
        image_shape: Shape (c, h, w) of the images.
        centre: Row and column of the direct beam [pixels].
        ring_pixels: Width of a ring [pixels].
        spread: Whether the spread is given beside the mean.

    Raises:
        InputError: Fewer than two rings.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        centre: tuple[float, float],
        ring_pixels: PositiveFloat = 1.0,
        spread: bool = True,
    ) -> None:
        _, height, width = image_shape
        reach = min(centre[0], height - 1 - centre[0], centre[1], width - 1 - centre[1]) + 0.5
        rings = int(reach / ring_pixels)
        if rings < 2:
            raise InputError(
                f"feature 'radial-profile': ring_pixels={ring_pixels:g} leaves {rings} rings "
                f"between the direct beam and the edge, {reach:g} pixels away; make them narrower"
            )
        y, x = np.ogrid[:height, :width]
        ring = (np.hypot(y - centre[0], x - centre[1]) / ring_pixels).astype(np.intp).ravel()
        # A narrow ring may hold no pixel; it is left out, so that every number says something.
        counts = np.bincount(ring, minlength=rings)[:rings]
        self._spread = spread
        self._order = np.argsort(ring, kind="stable")[: counts.sum()]
        self._counts = counts[counts > 0]
        self._starts = np.cumsum(self._counts) - self._counts

    def __call__(self, images: Float[np.ndarray, "b c h w"]) -> Float[np.ndarray, "b f"]:
        """Images (b, c, h, w) → means, then spreads, of each channel's rings, (b, f)."""
        batch, channels = images.shape[:2]
        pixels = images.reshape(batch, channels, -1)[..., self._order].astype(np.float64)
        mean = self._ring_means(pixels)
        parts = [mean]
        if self._spread:
            deviations = pixels - np.repeat(mean, self._counts, axis=2)
            parts.append(np.sqrt(self._ring_means(deviations**2)))
        return np.concatenate(parts, axis=2).reshape(batch, -1)

    def _ring_means(self, pixels: Float[np.ndarray, "b c n"]) -> Float[np.ndarray, "b c rings"]:
        sums: Float[np.ndarray, "b c rings"] = np.add.reduceat(pixels, self._starts, axis=2)
        return sums / self._counts
