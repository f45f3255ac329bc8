"""Point spread of a detector: a Gaussian, or what its modulation transfer function says."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.fft import next_fast_len

from crystalvision_simulate.instruments.detector._exposure import Exposure

_REACH = 4.0  # a Gaussian is cut there, in standard deviations


def blur(
    images: Float[torch.Tensor, "b c h w"], exposures: Sequence[Exposure]
) -> Float[torch.Tensor, "b c h w"]:
    """Spread each image by the point spread of its exposure; what leaves the detector is lost."""
    sigmas = [exposure.point_spread_px for exposure in exposures]
    if any(sigma > 0 for sigma in sigmas):
        images = _gaussian(images, sigmas)
    tables = [exposure.mtf for exposure in exposures]
    if any(tables):
        images = _filter(images, tables)
    return images


def _gaussian(
    images: Float[torch.Tensor, "b c h w"], sigmas: Sequence[float]
) -> Float[torch.Tensor, "b c h w"]:
    """Convolve with a Gaussian of each sigma [pixel], sampled at the pixels and normalised."""
    radius = int(_REACH * max(sigmas) + 0.5)
    weights = np.stack([_gaussian_weights(sigma, radius) for sigma in sigmas])
    taps = torch.from_numpy(weights).to(images.device, images.dtype)[:, :, None, None, None]
    for axis in (2, 3):
        padding = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        padded = torch.nn.functional.pad(images, padding)
        size = images.shape[axis]
        images = padded.narrow(axis, 0, size) * taps[:, 0]
        for shift in range(1, 2 * radius + 1):
            images.addcmul_(padded.narrow(axis, shift, size), taps[:, shift])
    return images


def _gaussian_weights(sigma: float, radius: int) -> Float[np.ndarray, "taps"]:
    """Weights of the pixels up to `radius` away on a line, float64, (2 · radius + 1,)."""
    distance = np.arange(-radius, radius + 1, dtype=np.float64)
    weights: Float[np.ndarray, "taps"] = np.where(distance == 0, 1.0, 0.0)
    if sigma > 0:
        weights = np.exp(-0.5 * (distance / sigma) ** 2)
        weights[np.abs(distance) > int(_REACH * sigma + 0.5)] = 0
        weights /= weights.sum()
    return weights


def _filter(
    images: Float[torch.Tensor, "b c h w"], tables: Sequence[tuple[tuple[float, float], ...]]
) -> Float[torch.Tensor, "b c h w"]:
    """Multiply the spectrum of each image by the transfer of the detector behind the pixels.

    In float64, because float32 would leave 1e-7 of the direct beam all over the image.
    """
    height, width = images.shape[2:]
    padded = (next_fast_len(2 * height, real=True), next_fast_len(2 * width, real=True))
    transfers = torch.stack([_transfer(table, padded, images.device) for table in tables])
    spectrum = torch.fft.rfft2(images.double(), s=padded) * transfers[:, None]
    spread: torch.Tensor = torch.fft.irfft2(spectrum, s=padded)[..., :height, :width]
    kept = spread.clamp(min=0)
    # A table says nothing beyond its end, so a spot rings; no electrons may come from cutting that.
    kept *= spread.sum(dim=(2, 3), keepdim=True) / kept.sum(dim=(2, 3), keepdim=True).clamp(
        min=1e-300
    )
    return kept.to(images.dtype)


@lru_cache(maxsize=8)
def _transfer(
    table: tuple[tuple[float, float], ...], shape: tuple[int, int], device: torch.device
) -> Float[torch.Tensor, "h w2"]:
    """What an MTF leaves to do once the pattern was integrated over the pixels, float64.

    A measured MTF holds that of the pixel, sinc(u / 2) at u Nyquist frequencies, which the
    projection onto the camera has applied. The rest is interpolated linearly between the points of
    the table, isotropic, and constant beyond the last.
    """
    frequency = 2 * np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    nodes, values = np.array(table or ((0.0, 1.0),)).T
    rest = np.interp(frequency, nodes, values / np.sinc(nodes / 2))
    return torch.from_numpy(rest).to(device)
