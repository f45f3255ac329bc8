"""Exposes a detector: from the fraction of the beam in each pixel to raw counts."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt16

from crystalvision.errors import InputError
from crystalvision_simulate.instruments.detector._blemishes import spoil
from crystalvision_simulate.instruments.detector._expected import expected_electrons, within
from crystalvision_simulate.instruments.detector._exposure import Blemishes, Exposure
from crystalvision_simulate.instruments.detector._readout import read_out


def expose(
    fraction: Float[torch.Tensor, "c h w"],
    q_inv_angstrom: Float[torch.Tensor, "2 h w"],
    rng: np.random.Generator,
    exposure: Exposure,
) -> UInt16[np.ndarray, "c h w"]:
    """Make one exposure; see `expose_batch`."""
    images = expose_batch(fraction[None], q_inv_angstrom[None], [rng], [exposure])
    image: UInt16[np.ndarray, "c h w"] = images[0]
    return image


def expose_batch(
    fractions: Float[torch.Tensor, "b c h w"],
    q_inv_angstrom: Float[torch.Tensor, "b 2 h w"],
    rngs: Sequence[np.random.Generator],
    exposures: Sequence[Exposure],
) -> UInt16[np.ndarray, "b c h w"]:
    """Make exposures of one detector.

    The order is that of the physics: electrons at the stated dose; inelastic background; halo of an
    amorphous film; beam stop; point spread, if each electron is counted; Poisson statistics; gain
    and its spread; point spread, if signal is integrated; offset, dark counts and the noise of
    reading; gamma, quantisation and saturation; bad pixels and scale bar; mask. What is expected is
    computed where `fractions` is; random numbers are drawn on the CPU, so that a GPU gives the
    counts of a CPU up to the rounding of what is expected.

    Args:
        fractions: Fraction of the incident beam in each pixel, (b, c, h, w).
        q_inv_angstrom: q_y and q_x in the middle of each pixel [1/Å], (b, 2, h, w).
        rngs: Source of randomness of each exposure.
        exposures: One a pattern; all of one kind.

    Returns:
        Raw counts, (b, c, h, w). On a CPU an exposure gives the same bits whatever else is in the
        batch.

    Raises:
        InputError: Counting and integrating exposures in one batch.
    """
    kinds = {exposure.kind for exposure in exposures}
    if len(kinds) != 1:
        raise InputError(f"exposures of kinds {sorted(kinds)} in one batch; expected one kind")
    images = []
    # One by one, what a CPU core works on stays in its cache.
    step = 1 if fractions.device.type == "cpu" else len(exposures)
    for first in range(0, len(exposures), step):
        chosen = slice(first, first + step)
        expected = expected_electrons(fractions[chosen], q_inv_angstrom[chosen], exposures[chosen])
        for electrons, exposure, rng in zip(
            expected.cpu().numpy(), exposures[chosen], rngs[chosen], strict=True
        ):
            images.append(read_out(electrons, exposure, rng))
    counts = np.stack(images)
    for image, q, exposure in zip(counts, q_inv_angstrom, exposures, strict=True):
        if exposure.blemishes != Blemishes():
            pixel = float(q[1, 0, 1] - q[1, 0, 0])
            spoil(image, exposure.blemishes, pixel, 2**exposure.readout.bit_depth - 1)
    radii = [exposure.mask_radius_inv_angstrom for exposure in exposures]
    if any(radii):
        near = [within(q, radius) for q, radius in zip(q_inv_angstrom, radii, strict=True)]
        masks = torch.stack(near).cpu().numpy()  # at once: a GPU is waited for
        counts[np.broadcast_to(masks[:, None], counts.shape)] = 0
    return counts
