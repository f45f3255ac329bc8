"""The powder pattern of a crystal with defects: |F(g)|² of all its reciprocal lattice, in rings."""

import numpy as np
import torch
from jaxtyping import Complex, Float, Int
from scipy.fft import next_fast_len

from crystalvision.contracts import Axis, Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.gridding import WIDTH, kernel_transform, kernel_weights
from crystalvision_simulate.powder._rings import share
from crystalvision_simulate.scattering import x_ray_scattering_factor

_BAND = 1 / 3  # cycles a grid point up to which the kernel is exact: 2/3 of Nyquist
_ATOMS_AT_ONCE = 2**13
_MOST_POINTS = 2**28


def rings_of_supercell(
    crystal: Crystal, band_limit_inv_angstrom: float, axis: Axis
) -> Float[np.ndarray, "n"]:
    """What a crystal of any number of atoms scatters into each step of |g|, (n,) [electrons²/Å⁶].

    |F(g)|² at every point of the reciprocal lattice of the whole cell, so that what is not the same
    in all of its unit cells shows as diffuse scattering between their reflections. A perfect
    supercell gives what `rings_of_reflections` gives of its unit cell. g = 0 is left out.

    Args:
        crystal: Periodic along all three vectors.
        band_limit_inv_angstrom: Greatest |g| [1/Å].
        axis: As `ring_axis` makes it.

    Raises:
        InputError: A crystal that is not periodic, or a cell that is too large for the band.
    """
    if not crystal.periodic.all():
        raise InputError("a powder is of crystals that repeat along all three vectors")
    reach = [int(np.ceil(band_limit_inv_angstrom * np.linalg.norm(v))) for v in crystal.cell]
    shape = [int(next_fast_len(int(np.ceil(max(n, 3) / _BAND)), real=True)) for n in reach]
    if np.prod(shape, dtype=np.float64) > _MOST_POINTS:
        raise InputError(
            f"a cell of {len(crystal)} atoms needs a grid of {'×'.join(map(str, shape))} points up "
            f"to {band_limit_inv_angstrom:.4g} 1/Å; take a smaller supercell, or a lower band limit"
        )
    indices = [np.arange(-reach[0], reach[0] + 1), np.arange(-reach[1], reach[1] + 1)]
    indices.append(np.arange(reach[2] + 1))  # of each Friedel pair one
    hkl = np.stack([each.reshape(-1) for each in np.meshgrid(*indices, indexing="ij")], axis=1)
    length = np.linalg.norm(hkl @ np.linalg.inv(crystal.cell).T, axis=1)
    kept = np.flatnonzero((length > 0) & (length <= band_limit_inv_angstrom))
    volume = abs(float(np.linalg.det(crystal.cell)))
    wave = np.zeros(len(kept), dtype=np.complex128)
    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    for number in np.unique(crystal.numbers).tolist():
        sums = _fourier_sum(fractional[crystal.numbers == number], shape, indices).reshape(-1)[kept]
        wave += x_ray_scattering_factor(number, length[kept]) * sums
    intensity = (wave.real**2 + wave.imag**2) / volume**2
    intensity[hkl[kept, 2] > 0] *= 2  # its partner; with l = 0 both are there
    return share(length[kept], intensity, axis)


def _fourier_sum(
    fractional: Float[np.ndarray, "n 3"], shape: list[int], indices: list[Int[np.ndarray, "_"]]
) -> Complex[np.ndarray, "h k l"]:
    """Σⱼ exp(−2πi hkl·xⱼ) at whole h, k and l ≥ 0, by gridding in float64."""
    points = torch.from_numpy((fractional % 1.0) * np.array(shape, dtype=np.float64))
    grid = torch.zeros(shape, dtype=torch.float64)
    for start in range(0, len(points), _ATOMS_AT_ONCE):
        _spread(points[start : start + _ATOMS_AT_ONCE], grid)
    waves = torch.fft.rfftn(grid).numpy()
    chosen = waves[np.ix_(*indices)]
    for axis, (index, size) in enumerate(zip(indices, shape, strict=True)):
        transform = kernel_transform(size)[index]
        chosen = chosen / transform.reshape([-1 if i == axis else 1 for i in range(3)])
    return np.asarray(chosen)


def _spread(points: Float[torch.Tensor, "n 3"], grid: Float[torch.Tensor, "x y z"]) -> None:
    """Add the kernel of each atom to the grid, wrapped."""
    first = torch.ceil(points - WIDTH / 2)
    neighbours = first[:, :, None] + torch.arange(WIDTH, dtype=points.dtype)
    weights = kernel_weights(neighbours - points[:, :, None])
    index = neighbours.long()
    flat = grid.view(-1)
    sizes = grid.shape
    wrapped = [index[:, axis] % sizes[axis] for axis in range(3)]
    across = wrapped[1][:, :, None] * sizes[2] + wrapped[2][:, None, :]
    plane = weights[:, 1, :, None] * weights[:, 2, None, :]
    for step in range(WIDTH):
        where = wrapped[0][:, step, None, None] * (sizes[1] * sizes[2]) + across
        values = weights[:, 0, step, None, None] * plane
        flat.scatter_add_(0, where.reshape(-1), values.reshape(-1))
