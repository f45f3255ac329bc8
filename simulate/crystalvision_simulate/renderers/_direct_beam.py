"""The incident beam behind a selected-area aperture, as kinematic theory takes it."""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float
from scipy.fft import next_fast_len

from crystalvision.contracts import Aperture, Specimen
from crystalvision_simulate.renderers._ewald import EwaldGrid


def direct_beam(
    grid: EwaldGrid, specimen: Specimen, *, device: torch.device, dtype: torch.dtype
) -> tuple[Complex[torch.Tensor, "h w"], float]:
    """The incident beam in reciprocal space, and the mean intensity that passes the aperture.

    The beam has the amplitude 1 before the aperture; its phase is that of a wave from the middle of
    the specimen, as the mean phase of the scattered wave is.

    Returns:
        The transform of the aperture's amplitude, centred on q = 0, (h, w), and the mean of its
        square over the box.
    """
    transform = np.zeros(grid.inside.shape, dtype=np.complex128)
    power = 1.0
    if specimen.aperture is None:
        transform[grid.reach] = 1
    else:
        across, power = _aperture_transform(
            specimen.aperture, grid.height_angstrom, grid.width_angstrom, grid.reach
        )
        phase = np.pi * specimen.thickness_angstrom * grid.along_beam()
        transform += across * grid.inside * np.exp(-1j * phase)
    return torch.from_numpy(transform).to(device, dtype.to_complex()), power


def amplitude_at_atoms(specimen: Specimen) -> Float[np.ndarray, "n"] | None:
    """The amplitude that the aperture lets through at every atom, (n,); `None` without one."""
    if specimen.aperture is None:
        return None
    across = specimen.box_angstrom[:2]
    x, y = (np.mod(specimen.positions[:, :2], across) - across / 2).T
    return specimen.aperture.transmission(np.hypot(x, y))


@lru_cache(maxsize=4)
def _aperture_transform(
    aperture: Aperture, height_angstrom: float, width_angstrom: float, reach: tuple[int, int]
) -> tuple[Complex[np.ndarray, "h w"], float]:
    shape = [next_fast_len(4 * n + 1) for n in reach]
    y, x = (
        (np.arange(size) / size - 0.5) * length
        for size, length in zip(shape, (height_angstrom, width_angstrom), strict=True)
    )
    amplitude = aperture.transmission(np.hypot(y[:, None], x[None, :]))
    transform = np.fft.fft2(amplitude, norm="forward")
    rows, columns = (np.arange(-n, n + 1) for n in reach)
    return transform[rows[:, None], columns[None, :]], float(np.mean(amplitude**2))
