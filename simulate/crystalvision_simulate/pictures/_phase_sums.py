"""Structure factors of very many atoms at very many reflections, by FFT."""

import numpy as np
import torch
from jaxtyping import Complex, Float, Int
from scipy.fft import fft2, next_fast_len

from crystalvision_simulate.gridding import Spreader, kernel_transform

_OVERSAMPLED = 3  # points a period of the highest index: the kernel is exact up to 1/3


def phase_sums(
    sites: Float[np.ndarray, "m 3"], hkl: Int[np.ndarray, "n 3"]
) -> Complex[np.ndarray, "n"]:
    """Σ exp(−2πi hkl·site) over sites in fractional coordinates, to about 1e-6 of their number.

    The index of the fewest values is taken layer by layer: each layer is a two-dimensional
    non-uniform FFT, so the time is that of spreading every atom once a layer.
    """
    layer_axis = int(np.argmin(np.ptp(hkl, axis=0)))
    first, second = (axis for axis in range(3) if axis != layer_axis)
    shape = tuple(
        int(next_fast_len(_OVERSAMPLED * (2 * int(np.abs(hkl[:, axis]).max()) + 1) // 2 + 16))
        for axis in (first, second)
    )
    inside = np.mod(sites, 1.0)
    spreader = Spreader(
        torch.from_numpy(inside[:, second] * shape[1]),
        torch.from_numpy(inside[:, first] * shape[0]),
        torch.ones(len(sites), dtype=torch.float64),
        (shape[0], shape[1]),
    )
    transforms = [kernel_transform(size) for size in shape]
    sums = np.empty(len(hkl), dtype=np.complex128)
    for layer in np.unique(hkl[:, layer_axis]):
        members = np.flatnonzero(hkl[:, layer_axis] == layer)
        grid = _spread(spreader, -2 * np.pi * layer * inside[:, layer_axis], shape)
        waves = fft2(grid)
        rows, columns = hkl[members, first], hkl[members, second]
        sums[members] = waves[rows, columns] / (transforms[0][rows] * transforms[1][columns])
    return sums


def _spread(
    spreader: Spreader, angles: Float[np.ndarray, "m"], shape: tuple[int, ...]
) -> Complex[np.ndarray, "h w"]:
    """Every site on the grid, with its phase."""
    grids = []
    for weights in (np.cos(angles), np.sin(angles)):
        out = torch.empty(shape, dtype=torch.float64)
        spreader.spread_weighted(torch.from_numpy(weights), out)
        grids.append(out.numpy())
    whole: Complex[np.ndarray, "h w"] = grids[0] + 1j * grids[1]
    return whole
