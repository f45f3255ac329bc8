"""Structure factors of atoms anywhere, by FFT: spread each atom on the grid, then divide it out.

An atom between grid points is spread over `WIDTH` × `WIDTH` points with a smooth kernel; the FFT of
the grid, divided by the kernel's own transform, is then the structure factor at the exact position.
The error stays at float32's rounding up to 2/3 of the Nyquist frequency, the band that multislice
keeps anyway, so the oversampling that gridding needs is free. The kernel is the "exponential of a
semicircle" of Barnett, Magland and af Klinteberg, SIAM J. Sci. Comput. 41, C479 (2019).
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int

WIDTH = 7
_AT_ONCE = 2**15  # atoms whose kernels are in memory
_SHAPE = 2.05 * WIDTH  # the smallest error at this width over 2/3 of the Nyquist band, by a scan


def kernel_weights(offsets: Float[torch.Tensor, "*n"]) -> Float[torch.Tensor, "*n"]:
    """The kernel at these distances from its centre, in grid points; zero beyond WIDTH / 2."""
    inside = 1 - (offsets * (2 / WIDTH)).square_()
    return inside.clamp_(min=0).sqrt_().sub_(1).mul_(_SHAPE).exp_()


@lru_cache(maxsize=32)
def kernel_transform(points: int) -> Float[np.ndarray, "n"]:
    """Fourier transform of the kernel at the frequencies of an FFT of this length, float64 (n,)."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = nodes * (WIDTH / 2)
    values = np.exp(_SHAPE * (np.sqrt(1 - nodes**2) - 1)) * weights * (WIDTH / 2)
    transform: Float[np.ndarray, "n"] = (
        np.cos(2 * np.pi * np.fft.fftfreq(points)[:, None] * x) @ values
    )
    return transform


class Spreader:
    """Atoms prepared for spreading onto stacks of periodic grids, some of them at a time."""

    def __init__(
        self,
        x_points: Float[torch.Tensor, "n"],
        y_points: Float[torch.Tensor, "n"],
        weights: Float[torch.Tensor, "n"],
        grid: tuple[int, int],
    ) -> None:
        """Prepare.

        Args:
            x_points: Position along x in grid points, (n,).
            y_points: Position along y in grid points, (n,).
            weights: What each atom adds, (n,).
            grid: Rows (y) and columns (x) of the grid.
        """
        rows, columns = grid
        self._points = rows * columns
        row, row_weight = _neighbours(y_points, rows)
        self._row_start = row * columns
        self._row_weight = row_weight * weights[:, None]
        self._column, self._column_weight = _neighbours(x_points, columns)

    def spread(
        self, atoms: slice, layer: Int[torch.Tensor, "m"], out: Float[torch.Tensor, "*l h w"]
    ) -> None:
        """Spread some atoms, each into one layer of `out`, overwriting it."""
        row_start = self._row_start[atoms] + (layer * self._points)[:, None]
        index = row_start[:, :, None] + self._column[atoms][:, None, :]
        values = self._row_weight[atoms][:, :, None] * self._column_weight[atoms][:, None, :]
        out.zero_()
        out.view(-1).scatter_add_(0, index.view(-1), values.view(-1))

    def spread_weighted(
        self, weights: Float[torch.Tensor, "n"], out: Float[torch.Tensor, "h w"]
    ) -> None:
        """Spread all atoms into one layer, each by so much more, overwriting it."""
        out.zero_()
        for start in range(0, len(weights), _AT_ONCE):
            atoms = slice(start, start + _AT_ONCE)
            index = self._row_start[atoms, :, None] + self._column[atoms][:, None, :]
            rows = self._row_weight[atoms] * weights[atoms, None]
            values = rows[:, :, None] * self._column_weight[atoms][:, None, :]
            out.view(-1).scatter_add_(0, index.view(-1), values.view(-1))


def _neighbours(
    points: Float[torch.Tensor, "n"], length: int
) -> tuple[Int[torch.Tensor, "n width"], Float[torch.Tensor, "n width"]]:
    """The grid points under each atom's kernel, wrapped, and the kernel's values there."""
    first = torch.ceil(points - WIDTH / 2)
    steps = torch.arange(WIDTH, device=points.device, dtype=points.dtype)
    neighbours = first[:, None] + steps
    weights = kernel_weights(neighbours - points[:, None])
    # Two comparisons wrap several times as fast as a remainder; kernels reach over one edge only.
    index = neighbours.long()
    index += (index < 0) * length
    index -= (index >= length) * length
    return index, weights
