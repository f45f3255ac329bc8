"""Draws electrons, and reads them out as counts."""

import numpy as np
import torch
from jaxtyping import Float, Int, UInt16

from crystalvision_simulate.instruments.detector._blur import blur
from crystalvision_simulate.instruments.detector._exposure import Exposure, Readout


def read_out(
    expected: Float[np.ndarray, "c h w"], exposure: Exposure, rng: np.random.Generator
) -> UInt16[np.ndarray, "c h w"]:
    """Draw the electrons of one exposure, and turn them into counts.

    Each source of noise has its own generator, seeded from `rng`: turning one on leaves what the
    others draw as it was.

    Args:
        expected: Mean number of electrons in each pixel, (c, h, w).
        exposure: The exposure.
        rng: Source of randomness.
    """
    readout = exposure.readout
    # Not `rng.spawn`: that would change the seed sequence, and a second exposure with it.
    seeds = rng.integers(2**63, size=4)
    poisson_rng, gain_rng, dark_rng, noise_rng = map(np.random.default_rng, seeds)
    electrons = poisson_rng.poisson(expected)
    signal = _amplify(electrons, readout, gain_rng)
    if exposure.kind == "integrating":
        signal = blur(torch.from_numpy(signal)[None], [exposure])[0].numpy()
    signal = signal + readout.offset_counts
    if readout.dark_counts:
        signal += dark_rng.poisson(readout.dark_counts, signal.shape)
    if readout.read_noise_counts:
        signal += noise_rng.normal(0.0, readout.read_noise_counts, signal.shape)
    full = 2**readout.bit_depth - 1
    if readout.gamma != 1:
        signal = full * np.clip(signal / full, 0, 1) ** readout.gamma
    return np.clip(np.rint(signal), 0, full).astype(np.uint16)


def _amplify(
    electrons: Int[np.ndarray, "c h w"], readout: Readout, rng: np.random.Generator
) -> Float[np.ndarray, "c h w"]:
    """What the electrons of each pixel add to the image [count].

    One electron adds a gamma distributed amount of the stated mean and spread; n electrons add up
    to a gamma distributed amount again, of n times the shape.
    """
    relative = electrons.astype(np.float64)
    if readout.gain_spread > 0:
        variance = readout.gain_spread**2
        # A shape of zero, for no electron, gives zero.
        relative = rng.standard_gamma(relative / variance) * variance
    return relative * readout.gain_counts_per_electron
