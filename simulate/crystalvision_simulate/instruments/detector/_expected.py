"""What would fall on each pixel on average: dose, inelastic background, beam stop, point spread."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float

from crystalvision_simulate.instruments.detector._amorphous import scatter_into_ring
from crystalvision_simulate.instruments.detector._blur import blur
from crystalvision_simulate.instruments.detector._exposure import BeamStop, Exposure
from crystalvision_simulate.instruments.detector._inelastic import scatter_inelastically


def expected_electrons(
    fractions: Float[torch.Tensor, "b c h w"],
    q_inv_angstrom: Float[torch.Tensor, "b 2 h w"],
    exposures: Sequence[Exposure],
) -> Float[torch.Tensor, "b c h w"]:
    """Mean number of electrons that each pixel registers, where `fractions` is.

    The point spread of an integrating detector is not in it, because it comes after the electrons
    were drawn.

    Args:
        fractions: Fraction of the incident beam in each pixel, (b, c, h, w).
        q_inv_angstrom: q_y and q_x in the middle of each pixel [1/Å], (b, 2, h, w).
        exposures: One a pattern, all of one kind.
    """
    doses = torch.tensor([e.dose_electrons for e in exposures], dtype=fractions.dtype)
    expected = fractions * doses.to(fractions.device)[:, None, None, None]
    inelastic = [exposure.inelastic for exposure in exposures]
    if any(how.fraction > 0 for how in inelastic):
        steps = q_inv_angstrom[:, 1, 0, 1] - q_inv_angstrom[:, 1, 0, 0]
        expected = scatter_inelastically(expected, steps.cpu().tolist(), inelastic)
    for index, exposure in enumerate(exposures):
        if exposure.amorphous.fraction > 0:
            expected[index] = scatter_into_ring(
                expected[index], q_inv_angstrom[index], exposure.dose_electrons, exposure.amorphous
            )
        if exposure.beam_stop.radius_inv_angstrom or exposure.beam_stop.arm_width_inv_angstrom:
            expected[index].masked_fill_(shadow(exposure.beam_stop, q_inv_angstrom[index]), 0)
    return blur(expected, exposures) if exposures[0].kind == "counting" else expected


def within(
    q_inv_angstrom: Float[torch.Tensor, "2 h w"], radius_inv_angstrom: float
) -> Bool[torch.Tensor, "h w"]:
    """The pixels whose middle lies within this |q| [1/Å]."""
    return q_inv_angstrom.square().sum(0) < radius_inv_angstrom**2


def shadow(
    stop: BeamStop, q_inv_angstrom: Float[torch.Tensor, "2 h w"]
) -> Bool[torch.Tensor, "h w"]:
    """The pixels whose middle the stop covers."""
    if stop.offset_x_inv_angstrom or stop.offset_y_inv_angstrom:
        offset = (stop.offset_y_inv_angstrom, stop.offset_x_inv_angstrom)
        q_inv_angstrom = q_inv_angstrom - q_inv_angstrom.new_tensor(offset)[:, None, None]
    shadow = within(q_inv_angstrom, stop.radius_inv_angstrom)
    if stop.arm_width_inv_angstrom:
        q_y, q_x = q_inv_angstrom
        angle = np.deg2rad(stop.arm_angle_deg)
        along = q_x * np.cos(angle) + q_y * np.sin(angle)
        across = q_y * np.cos(angle) - q_x * np.sin(angle)
        shadow |= (along > 0) & (across.abs() < stop.arm_width_inv_angstrom / 2)
    return shadow
