"""Counts that are lost because pixels are full."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt16

from crystalvision_simulate.instruments.detector._expected import expected_electrons
from crystalvision_simulate.instruments.detector._exposure import Exposure

_MOST_BITS = 16
_WORTH_TELLING = 1e-3  # of all counts


def saturation(
    image: UInt16[np.ndarray, "c h w"],
    fraction: Float[torch.Tensor, "c h w"],
    q_inv_angstrom: Float[torch.Tensor, "2 h w"],
    exposure: Exposure,
) -> tuple[int, float]:
    """How many pixels of an exposure are full, and the share of all counts that they lost.

    Args:
        image: The counts.
        fraction: What was exposed, as a fraction of the beam in each pixel.
        q_inv_angstrom: q_y and q_x in the middle of each pixel [1/Å].
        exposure: The exposure.
    """
    readout = exposure.readout
    full = image >= 2**readout.bit_depth - 1
    if not full.any():
        return 0, 0.0
    expected = expected_electrons(fraction[None], q_inv_angstrom[None], [exposure])[0]
    counts = expected.cpu().numpy().astype(np.float64) * readout.gain_counts_per_electron
    lost = float(np.maximum(counts[full] - image[full], 0).sum())
    return int(full.sum()), lost / max(float(counts.sum()), 1e-300)


def saturation_note(found: Sequence[tuple[int, float]], bit_depth: int) -> str:
    """What to know of patterns with full pixels, and what to change; empty where little is lost."""
    pixels, share = max(found, key=lambda one: one[1], default=(0, 0.0))
    if share < _WORTH_TELLING:
        return ""
    return (
        f"Pixels saturate: of a first pattern, {pixels} are full at {2**bit_depth - 1} counts "
        f"({bit_depth} bits), which loses {share:.0%} of all counts. A beam stop "
        "(instrument.beam_stop_radius_inv_angstrom) before the direct beam, or a lower dose or gain"
        f"{', or instrument.bit_depth=16' if bit_depth < _MOST_BITS else ''}, avoids it."
    )
