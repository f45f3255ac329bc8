"""The sites of an ideal crystal within a box."""

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Parent

_INSIDE = 1e-6  # Å by which a site may lie outside: rounding must not drop a face of atoms


def sites_in_box(
    parent: Parent, lower: Float[np.ndarray, "3"], upper: Float[np.ndarray, "3"]
) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "n"]]:
    """Every site of an ideal crystal within a box along x, y, z.

    Args:
        parent: The ideal crystal and how it lies.
        lower: Least x, y, z [Å], included.
        upper: Greatest x, y, z [Å], left out, so that boxes side by side share no site.

    Returns:
        Positions [Å], (n, 3), and atomic numbers, (n,), in an order that depends on the lattice
        and the box alone.
    """
    vectors = parent.vectors
    corners = np.stack(np.meshgrid(*zip(lower, upper, strict=True), indexing="ij"), axis=-1)
    motif = parent.unit_cell.positions @ parent.rotation.T + parent.origin_angstrom
    positions, numbers = [], []
    for site, number in zip(motif, parent.unit_cell.numbers, strict=True):
        # Site by site: the atoms of one sublattice lie on one lattice, which is quick to cut.
        fractional = (corners.reshape(-1, 3) - site) @ np.linalg.inv(vectors)
        ranges = [
            np.arange(np.floor(least - 1e-9), np.ceil(most + 1e-9) + 1)
            for least, most in zip(fractional.min(axis=0), fractional.max(axis=0), strict=True)
        ]
        found = _lattice_points(ranges, vectors, lower - site, upper - site) + site
        positions.append(found)
        numbers.append(np.full(len(found), number, dtype=np.int64))
    return np.concatenate(positions), np.concatenate(numbers)


def _lattice_points(
    ranges: list[Float[np.ndarray, "_"]],
    vectors: Float[np.ndarray, "3 3"],
    lower: Float[np.ndarray, "3"],
    upper: Float[np.ndarray, "3"],
) -> Float[np.ndarray, "n 3"]:
    """Lattice points within a box, row by row: each row along c enters and leaves it once."""
    u, v, w = ranges
    starts = (u[:, None, None] * vectors[0] + v[None, :, None] * vectors[1]).reshape(-1, 3)
    first = np.full(len(starts), w[0])
    last = np.full(len(starts), w[-1])
    for axis in range(3):
        step = vectors[2, axis]
        low, high = lower[axis] - _INSIDE - starts[:, axis], upper[axis] - _INSIDE - starts[:, axis]
        if abs(step) < 1e-9:
            last = np.where((low <= 0) & (high > 0), last, first - 1)
            continue
        ends = np.sort(np.stack([low, high]) / step, axis=0)
        if step > 0:  # the lower face belongs to the box, the upper one does not
            first = np.maximum(first, np.ceil(ends[0]))
            last = np.minimum(last, np.ceil(ends[1]) - 1)
        else:
            first = np.maximum(first, np.floor(ends[0]) + 1)
            last = np.minimum(last, np.floor(ends[1]))
    counts = np.maximum(last - first + 1, 0).astype(np.int64)
    row = np.repeat(np.arange(len(starts)), counts)
    along = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + first[row]
    points: Float[np.ndarray, "n 3"] = starts[row] + along[:, None] * vectors[2]
    return points
