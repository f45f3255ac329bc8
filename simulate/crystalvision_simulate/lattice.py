"""The sites of an ideal crystal within a box."""

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Parent

_ROWS_AT_ONCE = 2**17  # bounds the memory of the rows that are cut together
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
    inverse = np.linalg.inv(vectors)
    box, offsets = corners.reshape(-1, 3) @ inverse, motif @ inverse
    ranges = [
        np.arange(np.floor(least - 1e-9), np.ceil(most + 1e-9) + 1)
        for least, most in zip(
            box.min(axis=0) - offsets.max(axis=0),
            box.max(axis=0) - offsets.min(axis=0),
            strict=True,
        )
    ]
    at_once = max(1, _ROWS_AT_ONCE // (len(ranges[0]) * len(ranges[1])))
    positions, origins = [], []
    for start in range(0, len(motif), at_once):
        sites = motif[start : start + at_once]
        found, site = _lattice_points(ranges, vectors, lower, upper, sites)
        positions.append(found)
        origins.append(site + start)
    return np.concatenate(positions), parent.unit_cell.numbers[np.concatenate(origins)]


def _lattice_points(
    ranges: list[Float[np.ndarray, "_"]],
    vectors: Float[np.ndarray, "3 3"],
    lower: Float[np.ndarray, "3"],
    upper: Float[np.ndarray, "3"],
    sites: Float[np.ndarray, "m 3"],
) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "n"]]:
    """The lattices of some sites within a box: positions, and which site each is of.

    Row by row: each row along c enters and leaves the box once.
    """
    u, v, w = ranges
    starts = (u[:, None, None] * vectors[0] + v[None, :, None] * vectors[1]).reshape(-1, 3)
    shape = (len(sites), len(starts))
    first, last = np.full(shape, w[0]), np.full(shape, w[-1])
    for axis in range(3):
        step = vectors[2, axis]
        of_site = sites[:, axis, None]
        low = (lower[axis] - of_site) - _INSIDE - starts[:, axis]
        high = (upper[axis] - of_site) - _INSIDE - starts[:, axis]
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
    counts = np.maximum(last - first + 1, 0).astype(np.int64).ravel()
    row = np.repeat(np.arange(counts.size), counts)
    along = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    along = along + first.ravel()[row]
    site = row // len(starts)
    points: Float[np.ndarray, "n 3"] = starts[row % len(starts)] + along[:, None] * vectors[2]
    return points + sites[site], site
