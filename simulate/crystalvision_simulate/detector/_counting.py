"""Exposes a counting detector: point spread, beam stop, Poisson statistics."""

import numpy as np
from jaxtyping import Float, UInt16
from scipy.ndimage import gaussian_filter

_SATURATION = np.iinfo(np.uint16).max


def expose(
    fraction: Float[np.ndarray, "c h w"],
    q_inv_angstrom: Float[np.ndarray, "h w"],
    rng: np.random.Generator,
    *,
    dose_electrons: float,
    point_spread_px: float = 0.0,
    beam_stop_radius_inv_angstrom: float = 0.0,
) -> UInt16[np.ndarray, "c h w"]:
    """Count the electrons of one exposure.

    The detector registers each electron once, off by a Gaussian error of position, so counts are
    independent Poisson numbers about the blurred pattern. A pixel counts to 65,535 and stays there.

    Args:
        fraction: Fraction of the incident beam in each pixel, (c, h, w).
        q_inv_angstrom: |q| in each pixel [1/Å], (h, w).
        rng: Source of randomness.
        dose_electrons: Electrons that hit the specimen during the exposure.
        point_spread_px: Standard deviation of the error of position [pixel].
        beam_stop_radius_inv_angstrom: Electrons within this |q| are stopped [1/Å].
    """
    expected = fraction * dose_electrons
    expected = np.where(q_inv_angstrom < beam_stop_radius_inv_angstrom, 0, expected)
    if point_spread_px > 0:
        sigma = (0, point_spread_px, point_spread_px)
        expected = gaussian_filter(expected, sigma, mode="constant")
    counts = rng.poisson(np.maximum(expected, 0))
    return np.minimum(counts, _SATURATION).astype(np.uint16)
