"""Structure factors on the Ewald sphere by FFT: F(q) = Σⱼ wⱼ exp(−2πi (q·rⱼ + g_z(q) zⱼ)).

Every atom is spread with the gridding kernel along x, y and z. Each layer of the grid goes through
a real FFT, and the layers are summed with the phases of their heights, by Horner's rule. How far
apart the layers may be follows from the greatest |g_z|: 150 Å at 200 kV and 1.6 1/Å take about 20.
In x and y this is a non-uniform FFT of type 1, in z one of type 3 (Barnett, Magland and af
Klinteberg, SIAM J. Sci. Comput. 41, C479 (2019)).
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float, Int
from scipy.fft import next_fast_len

from crystalvision_simulate.gridding import WIDTH, kernel_transform, kernel_weights
from crystalvision_simulate.renderers._ewald import EwaldGrid
from crystalvision_simulate.renderers._ewald_atoms import LayeredAtoms

_BAND = 1 / 3  # cycles a grid point up to which the kernel is exact: 2/3 of Nyquist
_CHUNK_BYTES = {"cpu": 2**21, "cuda": 2**27}  # layers at a time: a core's cache, or a busy GPU


def structure_factors(
    grid: EwaldGrid,
    positions: Float[np.ndarray, "n 3"],
    species: Int[np.ndarray, "n"],
    factors: Float[torch.Tensor, "e 2 h w2"],
    weights: Float[np.ndarray, "n"] | None = None,
) -> Complex[torch.Tensor, "h w"]:
    """F(q) = Σ f(g) wⱼ exp(−2πi g·rⱼ) over all atoms, on the Ewald sphere.

    Args:
        grid: Where to compute; values beyond its radius are meaningless.
        positions: x, y, z [Å], (n, 3); x and y may lie in any period of the grid.
        species: The species of every atom, (n,).
        factors: Scattering factor of each species, laid out by `half_grid`; their device and type
            are those of the computation, (e, 2, h, w2).
        weights: Weight of every atom, (n,); one by default.

    Returns:
        F centred on q = 0, (h, w).
    """
    device, dtype = factors.device, factors.dtype
    shape = _fft_shape(grid)
    scale = np.array(
        [shape[1] / grid.width_angstrom, shape[0] / grid.height_angstrom, 1 / _spacing(grid)]
    )
    atoms = LayeredAtoms(
        np.ascontiguousarray((positions * scale).T),
        species,
        len(factors),
        weights,
        shape,
        device=device,
        dtype=dtype,
    )
    waves = _sum_layers(grid, atoms, shape, factors)
    halves = (waves * factors).sum(0)
    halves *= _phases(grid, atoms.lowest, device, dtype)
    halves *= _deconvolution(grid, device, dtype)
    left = halves[1].conj().flip(0, 1)[:, :-1]
    return torch.cat((left, halves[0]), dim=1)


def half_grid(whole: Float[np.ndarray, "*e h w"]) -> Float[np.ndarray, "*e 2 h w2"]:
    """Values at q for q_x ≥ 0, and values at −q: what real FFTs give comes in such pairs."""
    middle = whole.shape[-1] // 2
    inverse = whole[..., ::-1, ::-1]
    return np.stack((whole[..., middle:], inverse[..., middle:]), axis=-3)


def _sum_layers(
    grid: EwaldGrid,
    atoms: LayeredAtoms,
    shape: tuple[int, int],
    factors: Float[torch.Tensor, "e 2 h w2"],
) -> Complex[torch.Tensor, "e 2 h w2"]:
    """Each species' Σ over layers, from the lowest on: F(q), and the conjugate of F(−q)."""
    device, dtype = factors.device, factors.dtype
    rows, columns = grid.reach
    step = _phases(grid, 1, device, dtype)
    total = torch.zeros(factors.shape, dtype=step.dtype, device=device)
    size = len(factors) * shape[0] * shape[1] * dtype.itemsize
    chunk = min(atoms.count, max(1, _CHUNK_BYTES.get(device.type, 2**21) // size))
    layers = torch.empty((chunk, len(factors), *shape), dtype=dtype, device=device)
    for last in range(atoms.count, 0, -chunk):
        first = max(0, last - chunk)
        spread = layers[: last - first].zero_()
        for layer in range(first, last):
            atoms.spread(layer, spread[layer - first])
        waves = torch.fft.rfft2(spread)[..., : columns + 1]
        for wave in waves.flip(0):
            centred = torch.cat((wave[:, -rows:], wave[:, : rows + 1]), dim=1)
            total.mul_(step).add_(centred[:, None])
    return total


def _fft_shape(grid: EwaldGrid) -> tuple[int, int]:
    rows, columns = (int(next_fast_len(int(np.ceil(n / _BAND)), real=True)) for n in grid.reach)
    return rows, columns


def _spacing(grid: EwaldGrid) -> float:
    """Distance of the layers [Å]: the greatest that keeps g_z within the band of the kernel."""
    return _BAND / max(float(abs(grid.along_beam()).max()), 1e-9)


@lru_cache(maxsize=8)
def _phases(
    grid: EwaldGrid, layer: int, device: torch.device, dtype: torch.dtype
) -> Complex[torch.Tensor, "2 h w2"]:
    """exp(−2πi g_z z) at the height of a layer, and the conjugate of that at −q."""
    along, inverse = half_grid(grid.along_beam())
    angle = 2 * np.pi * layer * _spacing(grid) * np.stack((-along, inverse))
    return torch.from_numpy(np.exp(1j * angle)).to(device, dtype.to_complex())


@lru_cache(maxsize=8)
def _deconvolution(
    grid: EwaldGrid, device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "2 h w2"]:
    """What takes the kernel out again: one over its transform along x, y and z."""
    across = [
        kernel_transform(size)[np.arange(-n, n + 1)]
        for n, size in zip(grid.reach, _fft_shape(grid), strict=True)
    ]
    cycles, transform = _transform_table()
    along = np.interp(abs(grid.along_beam()) * _spacing(grid), cycles, transform)
    whole = 1 / (across[0][:, None] * across[1][None, :] * along)
    return torch.from_numpy(half_grid(whole)).to(device, dtype)


@lru_cache(maxsize=1)
def _transform_table() -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
    """The kernel's transform against frequency [cycles a layer], fine enough to interpolate."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    offsets = nodes * (WIDTH / 2)
    values = kernel_weights(torch.from_numpy(offsets.copy())).numpy() * weights * (WIDTH / 2)
    cycles = np.linspace(0, _BAND * 1.001, 2**14)
    return cycles, np.cos(2 * np.pi * cycles[:, None] * offsets) @ values
