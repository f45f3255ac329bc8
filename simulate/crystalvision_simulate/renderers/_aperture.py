"""What a selected-area aperture lets through of the wave behind a specimen."""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float

from crystalvision.contracts import Aperture, Specimen
from crystalvision_simulate.renderers._plane import Plane

PADDING = 2
"""How much wider than the box the space behind an aperture is.

The intensity is the transform of the autocorrelation of what passes, which is twice as wide; the
steps of the box alone would miss the shape of the spots.
"""


def behind_aperture(
    plane: Plane, aperture: Aperture, waves: Complex[torch.Tensor, "b h w"]
) -> Complex[torch.Tensor, "b h2 w2"]:
    """The waves behind an aperture, in reciprocal space, (b, `PADDING` · h, `PADDING` · w).

    The aperture's amplitude is scaled so that the incident wave behind it has the intensity 1.
    """
    rows, columns = plane.shape
    amplitude = _amplitude(plane, aperture, waves.device, waves.real.dtype)
    passed = torch.fft.ifft2(waves, norm="forward") * amplitude
    wider = torch.nn.functional.pad(passed, (0, columns, 0, rows))
    behind: Complex[torch.Tensor, "b h2 w2"] = torch.fft.fft2(wider, norm="forward") * PADDING
    return behind


def padded(specimen: Specimen) -> Specimen:
    """The same atoms behind the same aperture, in the middle of the wider space."""
    across = np.array([*specimen.box_angstrom[:2], 0.0])
    positions = specimen.positions.copy()
    positions[:, :2] = np.mod(positions[:, :2], across[:2])
    return Specimen(
        positions + across * (PADDING - 1) / 2,
        specimen.numbers,
        specimen.box_angstrom + across * (PADDING - 1),
        specimen.aperture,
    )


@lru_cache(maxsize=8)
def _amplitude(
    plane: Plane, aperture: Aperture, device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "h w"]:
    rows, columns = plane.shape
    y = (np.arange(rows) / rows - 0.5) * plane.height_angstrom
    x = (np.arange(columns) / columns - 0.5) * plane.width_angstrom
    amplitude = aperture.transmission(np.hypot(y[:, None], x[None, :]))
    return torch.from_numpy(amplitude / np.sqrt(np.mean(amplitude**2))).to(device, dtype)
