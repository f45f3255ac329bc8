"""Atoms spread on the layers of a three-dimensional grid, one layer after the other."""

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
        points: Float[torch.Tensor, "3 n"],
        species: Int[torch.Tensor, "n"],
        num_species: int,
        weights: Float[torch.Tensor, "n"] | None,
        shape: tuple[int, int],
        dtype: torch.dtype,
    ) -> None:
        """Prepare.

        Args:
            points: Positions along x, y and z in grid points, float64, (3, n).
            species: The species of every atom, (n,).
            num_species: Number of species.
            weights: Weight of every atom, (n,); one by default.
            shape: Rows (y) and columns (x) of a layer, which is periodic.
            dtype: Of the layers.
        """
        first, layer_weight = _neighbours(points[2], dtype)
        self.lowest = int(first.min())
        first -= self.lowest
        starts = int(first.max()) + 1
        self.count = starts + WIDTH - 1
        key, order = torch.sort(species * starts + first, stable=True)
        edges = torch.arange(num_species * starts + 1, device=key.device)
        self._edges = torch.searchsorted(key, edges).view(-1).tolist()
        self._starts = starts
        self._first = first[order]
        self._layer_weight = layer_weight[order]
        if weights is not None:
            self._layer_weight *= weights[order, None].to(dtype)
        rows, columns = shape
        row, row_weight = _neighbours(points[1][order], dtype)
        column, column_weight = _neighbours(points[0][order], dtype)
        steps = torch.arange(WIDTH, device=key.device)
        row = torch.remainder(row[:, None] + steps, rows).int() * columns
        column = torch.remainder(column[:, None] + steps, columns).int()
        self._index = (row[:, :, None] + column[:, None, :]).flatten(1)
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
    points: Float[torch.Tensor, "n"], dtype: torch.dtype
) -> tuple[Int[torch.Tensor, "n"], Float[torch.Tensor, "n width"]]:
    """The first grid point under each atom's kernel, and the kernel at `WIDTH` points from there.

    Positions are reduced in float64: float32 would lose 1e-5 of a wide box.
    """
    first = torch.ceil(points - WIDTH / 2)
    offset = (first - points).to(dtype)
    steps = torch.arange(WIDTH, device=points.device, dtype=dtype)
    return first.long(), kernel_weights(offset[:, None] + steps)
