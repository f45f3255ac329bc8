"""What a selected-area aperture lets through of the wave behind a specimen."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float

from crystalvision.contracts import Aperture, Specimen
from crystalvision_simulate.renderers._plane import Plane


def behind_aperture(
    plane: Plane, specimens: Sequence[Specimen], waves: Complex[torch.Tensor, "b h w"]
) -> Complex[torch.Tensor, "b h w"]:
    """The waves behind the apertures of their specimens, in reciprocal space, (b, h, w).

    An aperture's amplitude is scaled so that the incident wave behind it has the intensity 1.
    """
    for wave, specimen in zip(waves, specimens, strict=True):
        if specimen.aperture is not None:
            amplitude = _amplitude(plane, specimen.aperture, wave.device, wave.real.dtype)
            wave.copy_(torch.fft.fft2(torch.fft.ifft2(wave) * amplitude))
    return waves


@lru_cache(maxsize=8)
def _amplitude(
    plane: Plane, aperture: Aperture, device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "h w"]:
    rows, columns = plane.shape
    y = (np.arange(rows) / rows - 0.5) * plane.height_angstrom
    x = (np.arange(columns) / columns - 0.5) * plane.width_angstrom
    amplitude = aperture.transmission(np.hypot(y[:, None], x[None, :]))
    return torch.from_numpy(amplitude / np.sqrt(np.mean(amplitude**2))).to(device, dtype)
