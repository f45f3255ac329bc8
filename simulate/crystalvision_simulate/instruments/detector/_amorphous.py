"""The halo of an amorphous film: a broad ring about the direct beam."""

import numpy as np
import torch
from jaxtyping import Float

from crystalvision_simulate.instruments.detector._exposure import Amorphous

_REACH = 6.0  # standard deviations, over which the ring is integrated
_STEPS = 4096


def scatter_into_ring(
    electrons: Float[torch.Tensor, "c h w"],
    q_inv_angstrom: Float[torch.Tensor, "2 h w"],
    dose_electrons: float,
    amorphous: Amorphous,
) -> Float[torch.Tensor, "c h w"]:
    """Take a fraction of the electrons from where they fall, and put them on a ring.

    The density over q is a Gaussian of |q| about the radius; it adds up to one over the plane.

    Args:
        electrons: Electrons a pixel, (c, h, w).
        q_inv_angstrom: q_y and q_x in the middle of each pixel [1/Å], (2, h, w).
        dose_electrons: Electrons of the whole exposure.
        amorphous: How many, and where.
    """
    radius, width = amorphous.radius_inv_angstrom, amorphous.width_inv_angstrom
    line = np.linspace(max(0.0, radius - _REACH * width), radius + _REACH * width, _STEPS)
    density = np.exp(-0.5 * ((line - radius) / width) ** 2) * 2 * np.pi * line
    whole = float(np.trapezoid(density, line))
    step = float(q_inv_angstrom[1, 0, 1] - q_inv_angstrom[1, 0, 0])
    length = q_inv_angstrom.square().sum(0).sqrt()
    ring = torch.exp(-0.5 * ((length - radius) / width) ** 2) * (step**2 / whole)
    kept = electrons * (1 - amorphous.fraction)
    return kept + ring.to(electrons.dtype) * (amorphous.fraction * dose_electrons)
