"""Atoms spread on the layers of a three-dimensional grid, one layer after the other."""

import numpy as np
import torch
from jaxtyping import Float, Int

from crystalvision_simulate.gridding import WIDTH, kernel_weights


class LayeredAtoms:
    """Atoms prepared for spreading: each reaches `WIDTH` points along x, y and z.

    Attributes:
        lowest: Height of the lowest layer over the distance of layers.
        count: Number of layers.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "3 n"],
        species: Int[np.ndarray, "n"],
        num_species: int,
        weights: Float[np.ndarray, "n"] | None,
        shape: tuple[int, int],
        *,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """Prepare.

        Atoms are sorted on the host, where they come from: a GPU need not be waited for.

        Args:
            points: Positions along x, y and z in grid points, (3, n).
            species: The species of every atom, (n,).
            num_species: Number of species.
            weights: Weight of every atom, (n,); one by default.
            shape: Rows (y) and columns (x) of a layer, which is periodic.
            device: Where to spread.
            dtype: Of the layers.
        """
        first, offset = _first_points(points[2])
        self.lowest = int(first.min())
        first -= self.lowest
        self._starts = int(first.max()) + 1
        self.count = self._starts + WIDTH - 1
        key = species * self._starts + first
        order = np.argsort(key, kind="stable")
        edges = np.arange(num_species * self._starts + 1)
        self._edges: list[int] = np.searchsorted(key[order], edges).tolist()
        self._first = torch.from_numpy(first[order]).to(device)
        sorted_ = torch.from_numpy(order).to(device)
        self._layer_weight = _weights(offset, device, dtype)[sorted_]
        if weights is not None:
            of_atoms = torch.from_numpy(weights[order, None]).to(device, dtype)
            self._layer_weight *= of_atoms
        rows, columns = shape
        row, row_weight = _neighbours(points[1][order], rows, device, dtype)
        column, column_weight = _neighbours(points[0][order], columns, device, dtype)
        self._index = (row[:, :, None] * columns + column[:, None, :]).flatten(1)
        self._weight = (row_weight[:, :, None] * column_weight[:, None, :]).flatten(1)

    def spread(self, layer: int, out: Float[torch.Tensor, "e h w"]) -> None:
        """Add to `out`, (e, h, w), what the atoms of each species have in this layer."""
        low = max(0, layer - WIDTH + 1)
        high = min(layer, self._starts - 1)
        for number, grid in enumerate(out):
            first = number * self._starts
            atoms = slice(self._edges[first + low], self._edges[first + high + 1])
            if atoms.start < atoms.stop:
                self._add(layer, atoms, grid.view(-1))

    def _add(self, layer: int, atoms: slice, flat: Float[torch.Tensor, "p"]) -> None:
        nth = layer - self._first[atoms]
        weight = self._weight[atoms] * self._layer_weight[atoms].gather(1, nth[:, None])
        flat.index_add_(0, self._index[atoms].view(-1), weight.view(-1))


def _neighbours(
    points: Float[np.ndarray, "n"], length: int, device: torch.device, dtype: torch.dtype
) -> tuple[Int[torch.Tensor, "n width"], Float[torch.Tensor, "n width"]]:
    """The grid points under each atom's kernel, wrapped, and the kernel there."""
    first, offset = _first_points(points)
    steps = torch.arange(WIDTH, device=device)
    index = torch.remainder(torch.from_numpy(first).to(device)[:, None] + steps, length).int()
    return index, _weights(offset, device, dtype)


def _first_points(
    points: Float[np.ndarray, "n"],
) -> tuple[Int[np.ndarray, "n"], Float[np.ndarray, "n"]]:
    """The first grid point under each atom's kernel, and how far it is from the atom.

    In float64: float32 would lose 1e-5 of a wide box.
    """
    first = np.ceil(points - WIDTH / 2)
    return first.astype(np.int64), first - points


def _weights(
    offset: Float[np.ndarray, "n"], device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "n width"]:
    """The kernel at `WIDTH` points from the first one, for each atom."""
    steps = torch.arange(WIDTH, device=device, dtype=dtype)
    return kernel_weights(torch.from_numpy(offset).to(dtype).to(device)[:, None] + steps)
