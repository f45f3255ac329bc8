"""Distances in a crystal that may repeat across the beam."""

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal


def choose_apart(
    crystal: Crystal, points: Float[np.ndarray, "m 3"], count: int, distance_angstrom: float
) -> Float[np.ndarray, "k 3"]:
    """The first points that lie far enough from every atom and from each other.

    Args:
        crystal: The crystal; its cell must be orthogonal where it repeats.
        points: Positions to choose from, in order [Å], (m, 3).
        count: How many are wanted.
        distance_angstrom: The least distance [Å].

    Returns:
        At most `count` points, (k, 3).
    """
    lengths = np.where(crystal.periodic, np.diag(crystal.cell), 0)
    tree = cKDTree(wrapped(crystal.positions, lengths), boxsize=lengths)
    free = np.empty((0, 3))
    for part in np.array_split(points, max(1, len(points) // (2 * count))):
        distances, _ = tree.query(wrapped(part, lengths))
        free = _apart(
            np.concatenate([free, part[distances >= distance_angstrom]]), lengths, distance_angstrom
        )
        if len(free) >= count:
            break
    return free[:count]


def _apart(
    points: Float[np.ndarray, "m 3"], lengths: Float[np.ndarray, "3"], distance_angstrom: float
) -> Float[np.ndarray, "k 3"]:
    """Points of which none is near an earlier one that is kept."""
    tree = cKDTree(wrapped(points, lengths), boxsize=lengths)
    pairs = tree.query_pairs(distance_angstrom, output_type="ndarray")
    kept = np.ones(len(points), dtype=bool)
    for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        # In this order it is settled whether the earlier one is kept before it speaks.
        kept[second] &= not kept[first]
    return points[kept]


def wrapped(
    positions: Float[np.ndarray, "n 3"], lengths: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "n 3"]:
    """Positions within the box along the axes that repeat."""
    repeats = lengths > 0
    wrapped = np.mod(positions, np.where(repeats, lengths, 1))
    # np.mod of a tiny negative number is the length itself, which the tree refuses.
    wrapped = np.where(wrapped >= lengths, 0, wrapped)
    return np.where(repeats, wrapped, positions)
