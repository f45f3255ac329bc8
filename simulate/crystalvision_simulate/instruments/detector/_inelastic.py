"""The inelastic background: electrons that lost energy, and with it their direction."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.fft import next_fast_len

from crystalvision_simulate.instruments.detector._exposure import Inelastic

_FINE = 4  # pixels from its middle within which the Lorentzian is integrated over each pixel
_SUBPIXELS = 32


def scatter_inelastically(
    images: Float[torch.Tensor, "b c h w"],
    sides_inv_angstrom: Sequence[float],
    inelastic: Sequence[Inelastic],
) -> Float[torch.Tensor, "b c h w"]:
    """Move a fraction of the electrons from where they would fall to a Lorentzian about it.

    One energy loss E turns an electron by an angle distributed as 1 / (θ² + θ_E²), about whatever
    direction it has been diffracted to: so each beam, the direct one above all, gets a halo
    (Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd edition, 2011,
    chapter 3). Several losses of one electron are not told from one.

    Args:
        images: Electrons a pixel, (b, c, h, w).
        sides_inv_angstrom: Side of the pixels of each image [1/Å].
        inelastic: For each image, how many electrons and how far.

    Returns:
        The electrons a pixel, (b, c, h, w); those that leave the detector are lost.
    """
    height, width = images.shape[2:]
    padded = (next_fast_len(2 * height - 1, real=True), next_fast_len(2 * width - 1, real=True))
    kernels = np.zeros((len(inelastic), *padded))
    for kernel, side, how in zip(kernels, sides_inv_angstrom, inelastic, strict=True):
        if how.fraction > 0:
            reach = (height - 1, width - 1)
            rows, columns = (np.arange(-n, n + 1) for n in reach)
            kernel[rows[:, None], columns] = how.fraction * lorentzian(side, how, reach)
        kernel[0, 0] += 1 - how.fraction
    # In float64, because float32 would leave 1e-7 of the direct beam all over the image.
    transfer = torch.fft.rfft2(torch.from_numpy(kernels).to(images.device))[:, None]
    spectrum = torch.fft.rfft2(images.double(), s=padded) * transfer
    spread: torch.Tensor = torch.fft.irfft2(spectrum, s=padded)[..., :height, :width]
    return spread.clamp(min=0).to(images.dtype)


def lorentzian(
    side_inv_angstrom: float, inelastic: Inelastic, reach: tuple[int, int]
) -> Float[np.ndarray, "h w"]:
    """Where inelastic scattering takes an electron: the probability of each pixel about its own.

    The density 1 / (π ln(1 + q_c²/q_E²) (q² + q_E²)) up to the cutoff q_c, integrated over pixels.

    Args:
        side_inv_angstrom: Side of a pixel [1/Å].
        inelastic: Half width q_E and cutoff q_c [1/Å].
        reach: Rows and columns on either side of the middle; h, w = 2 · reach + 1.

    Returns:
        Probabilities, (h, w); they add up to one if the cutoff lies within the reach.
    """
    half_width = inelastic.half_width_inv_angstrom
    cutoff = inelastic.cutoff_inv_angstrom
    rows, columns = (np.arange(-n, n + 1) * side_inv_angstrom for n in reach)
    squared = rows[:, None] ** 2 + columns[None, :] ** 2
    kernel: Float[np.ndarray, "h w"] = np.where(
        squared <= cutoff**2, side_inv_angstrom**2 / (squared + half_width**2), 0.0
    )
    fine = [min(n, _FINE) for n in reach]
    inner = tuple(slice(n - f, n + f + 1) for n, f in zip(reach, fine, strict=True))
    kernel[inner] = _integrated(side_inv_angstrom, half_width, cutoff, fine)
    total = np.pi * np.log1p((cutoff / half_width) ** 2)
    kernel[reach] = min(_middle(side_inv_angstrom, half_width), total)
    if cutoff + side_inv_angstrom < min(reach) * side_inv_angstrom:
        total = kernel.sum()
    kernel /= total
    return kernel


def _integrated(
    side: float, half_width: float, cutoff: float, reach: Sequence[int]
) -> Float[np.ndarray, "h w"]:
    """1 / (q² + q_E²) up to the cutoff, integrated over pixels by the midpoint rule."""
    rows, columns = (
        ((np.arange((2 * n + 1) * _SUBPIXELS) + 0.5) / _SUBPIXELS - n - 0.5) * side for n in reach
    )
    squared = rows[:, None] ** 2 + columns[None, :] ** 2
    values = np.where(squared <= cutoff**2, 1 / (squared + half_width**2), 0.0)
    pixels: Float[np.ndarray, "h w"] = values.reshape(
        2 * reach[0] + 1, _SUBPIXELS, 2 * reach[1] + 1, _SUBPIXELS
    ).mean(axis=(1, 3))
    return pixels * side**2


def _middle(side: float, half_width: float) -> float:
    """1 / (q² + q_E²) integrated over the pixel about q = 0, in polar coordinates."""
    nodes, weights = np.polynomial.legendre.leggauss(32)
    azimuth = (nodes + 1) * (np.pi / 8)
    edge = side / 2 / np.cos(azimuth)
    return float(4 * np.sum(weights * np.log1p((edge / half_width) ** 2)) * (np.pi / 8))
