"""Distances in a crystal that may repeat along some axes of an orthogonal box."""

from functools import lru_cache
from itertools import product

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal, Parent
from crystalvision_simulate.lattice import sites_in_box

_CLOSE_PACKED = 1.1225  # 2^(1/6): no packing has neighbours farther apart than this (V/n)^(1/3)
_CELLS_PER_ATOM = 32  # bounds the memory of the grid on which pairs are sought


@lru_cache(maxsize=64)  # a recipe has few unit cells, and asks for each sample
def shortest_distance_angstrom(unit_cell: Crystal) -> float:
    """Shortest distance between atoms of an ideal crystal [Å]."""
    reach = 1.01 * _CLOSE_PACKED * (unit_cell.volume_angstrom3 / len(unit_cell)) ** (1 / 3)
    motif = unit_cell.positions
    ideal = Parent(unit_cell, np.eye(3), np.zeros(3))
    atoms, _ = sites_in_box(ideal, motif.min(axis=0) - reach, motif.max(axis=0) + reach)
    return float(cKDTree(atoms).query(motif, k=2)[0][:, 1].min())


def repeat_lengths(crystal: Crystal) -> Float[np.ndarray, "3"]:
    """Length after which a crystal repeats along x, y, z [Å], 0 where it does not, (3,).

    One in an oblique cell counts as a crystal that does not repeat.
    """
    lengths = np.diag(crystal.cell)
    orthogonal = not np.count_nonzero(crystal.cell - np.diag(lengths))
    repeats: Float[np.ndarray, "3"] = np.where(crystal.periodic & orthogonal, lengths, 0.0)
    return repeats


def closest_pair_angstrom(
    positions: Float[np.ndarray, "n 3"], lengths: Float[np.ndarray, "3"], limit_angstrom: float
) -> float:
    """The shortest distance between atoms, where it is below a limit [Å]; infinity elsewhere.

    Atoms are sorted into a grid as fine as the limit, in which only neighbouring cells matter: four
    times as fast as a search tree.

    Args:
        positions: Positions [Å], (n, 3).
        lengths: Length after which the crystal repeats along each axis [Å], 0 where it does not.
        limit_angstrom: The limit [Å]; less than any of the lengths.
    """
    if limit_angstrom <= 0 or len(positions) < 2:
        return float("inf")
    atoms = _with_images(wrapped(positions, lengths), lengths, limit_angstrom)
    rows = np.ascontiguousarray(atoms.T)  # sums along rows are several times as fast
    low = rows.min(axis=1)
    extent = rows.max(axis=1) - low + 1e-9
    coarsest = float((extent.prod() / (_CELLS_PER_ATOM * len(atoms))) ** (1 / 3))
    side = max(limit_angstrom, coarsest)
    shape = (extent / side).astype(np.int64) + 3  # an empty cell at each side
    cells = ((rows - low[:, None]) / side).astype(np.int32) + 1
    keys = (cells[0] * int(shape[1]) + cells[1]) * int(shape[2]) + cells[2]
    index = np.arange(len(atoms))
    table = np.full(int(shape.prod()), -1, dtype=np.int32)
    table[keys] = index
    hidden = np.flatnonzero(table[keys] != index)  # they share their cell with a later atom
    steps = [int((x * shape[1] + y) * shape[2] + z) for x, y, z in product((-1, 0, 1), repeat=3)]
    found = [_shortest(rows, index, table[keys + step]) for step in steps if step > 0]
    found += [_shortest(rows, hidden, table[keys[hidden] + step]) for step in steps]
    if len(hidden) > 1:
        found.append(float(cKDTree(atoms[hidden]).query(atoms[hidden], k=2)[0][:, 1].min()))
    return min(found) if min(found) < limit_angstrom else float("inf")


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
    lengths = repeat_lengths(crystal)
    # A plain tree is built in a third of the time, and few points ask it.
    tree = cKDTree(
        wrapped(crystal.positions, lengths),
        boxsize=lengths,
        balanced_tree=False,
        compact_nodes=False,
    )
    free = np.empty((0, 3))
    for part in np.array_split(points, max(1, len(points) // (2 * count))):
        distances, _ = tree.query(wrapped(part, lengths), distance_upper_bound=distance_angstrom)
        free = _apart(np.concatenate([free, part[np.isinf(distances)]]), lengths, distance_angstrom)
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
    inside = positions.copy()
    for axis in np.flatnonzero(lengths):
        inside[:, axis] = np.mod(positions[:, axis], lengths[axis])
        # np.mod of a tiny negative number is the length itself, which a tree refuses.
        inside[inside[:, axis] >= lengths[axis], axis] = 0.0
    return inside


def _shortest(
    rows: Float[np.ndarray, "3 n"], first: Int[np.ndarray, "m"], second: Int[np.ndarray, "m"]
) -> float:
    """Shortest distance of the pairs `first`, `second` [Å]; a second of -1 is no atom."""
    exists = np.flatnonzero(second >= 0)
    if not len(exists):
        return float("inf")
    one, other = first[exists], second[exists]
    squared = sum((row[one] - row[other]) ** 2 for row in rows)
    return float(np.sqrt(np.min(squared)))


def _with_images(
    positions: Float[np.ndarray, "n 3"], lengths: Float[np.ndarray, "3"], reach: float
) -> Float[np.ndarray, "m 3"]:
    """The atoms, and those of the next box as far as they reach over the upper faces."""
    for axis in np.flatnonzero(lengths):
        images = positions[positions[:, axis] <= reach].copy()
        images[:, axis] += lengths[axis]
        positions = np.concatenate([positions, images])
    return positions
