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
    """Atoms prepared for spreading onto the layers of a periodic grid."""

    def __init__(
        self,
        x_points: Float[torch.Tensor, "n"],
        y_points: Float[torch.Tensor, "n"],
        layers: Int[torch.Tensor, "n"],
        num_layers: int,
        grid: tuple[int, int],
    ) -> None:
        """Prepare.

        Args:
            x_points: Position along x in grid points, (n,).
            y_points: Position along y in grid points, (n,).
            layers: The layer that each atom belongs to, (n,).
            num_layers: Number of layers.
            grid: Rows (y) and columns (x) of the grid.
        """
        order = torch.argsort(layers, stable=True)
        layers = layers[order]
        self._grid = grid
        self._row, self._row_weight = _neighbours(y_points[order], grid[0])
        self._column, self._column_weight = _neighbours(x_points[order], grid[1])
        self._layers = layers
        edges = torch.arange(num_layers + 1, device=layers.device)
        self._starts = torch.searchsorted(layers, edges).tolist()

    def spread(
        self, first: int, last: int, out: Float[torch.Tensor, "l h w"]
    ) -> Float[torch.Tensor, "l h w"]:
        """Spread the atoms of layers `first` to `last` (exclusive) into `out`, overwriting it."""
        atoms = slice(self._starts[first], self._starts[last])
        rows, columns = self._grid
        base = (self._layers[atoms] - first) * rows
        index = (base[:, None] + self._row[atoms])[:, :, None] * columns
        index = index + self._column[atoms][:, None, :]
        weight = self._row_weight[atoms][:, :, None] * self._column_weight[atoms][:, None, :]
        out.zero_()
        out.view(-1).index_add_(0, index.view(-1), weight.view(-1))
        return out


def _neighbours(
    points: Float[torch.Tensor, "n"], length: int
) -> tuple[Int[torch.Tensor, "n {WIDTH}"], Float[torch.Tensor, "n {WIDTH}"]]:
    """The grid points under each atom's kernel, wrapped, and the kernel's values there."""
    first = torch.ceil(points - WIDTH / 2)
    steps = torch.arange(WIDTH, device=points.device, dtype=points.dtype)
    neighbours = first[:, None] + steps
    weights = kernel_weights(neighbours - points[:, None])
    return torch.remainder(neighbours.long(), length), weights
