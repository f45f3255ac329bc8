"""Zone axes: how a crystal must be turned so that [uvw] lies along the beam."""

from itertools import product

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError

_SAME_SITE = 1e-3  # Å by which two sites of one lattice may differ: files round their coordinates
_EQUAL_LENGTH = 1e-6  # relative difference below which two reciprocal vectors are equally long


def reduced_axis(zone_axis: tuple[int, int, int]) -> Int[np.ndarray, "3"]:
    """The indices [uvw] without their common divisor, (3,).

    Raises:
        InputError: All of them are zero.
    """
    axis = np.array(zone_axis, dtype=np.int64)
    if axis.shape != (3,) or not axis.any():
        raise InputError(
            f"zone_axis is {list(zone_axis)}; expected a direction such as [0, 0, 1] or [1, 1, 2]"
        )
    reduced: Int[np.ndarray, "3"] = axis // np.gcd.reduce(axis)
    return reduced


def along_beam(unit_cell: Crystal, zone_axis: tuple[int, int, int]) -> Float[np.ndarray, "3 3"]:
    """The rotation that brings [uvw] to +z and a zone's shortest reciprocal vector to +x.

    That vector is the shortest of the crystal's own reciprocal lattice in the zero-order Laue zone,
    hu + kv + lw = 0, whether the unit cell is primitive or not. Of several equally long ones it is
    that of the greatest h, then k, then l.

    Args:
        unit_cell: The ideal crystal.
        zone_axis: Indices [uvw].

    Returns:
        A proper rotation, (3, 3): a vector v of the unit cell's frame becomes `rotation @ v`.

    Raises:
        InputError: The zone axis is [0, 0, 0].
    """
    axis = reduced_axis(zone_axis)
    z = axis @ unit_cell.cell
    z = z / np.linalg.norm(z)
    x = np.linalg.inv(unit_cell.cell) @ _shortest_in_zone(unit_cell, axis)
    x = x / np.linalg.norm(x)
    rotation: Float[np.ndarray, "3 3"] = np.stack([x, np.cross(z, x), z])
    return rotation


def _shortest_in_zone(unit_cell: Crystal, axis: Int[np.ndarray, "3"]) -> Int[np.ndarray, "3"]:
    """Indices hkl of the shortest vector of the reciprocal lattice with hu + kv + lw = 0."""
    centring = _centring(unit_cell)
    longest_edge = np.linalg.norm(unit_cell.cell, axis=1).max()
    largest = max(2, int(np.abs(axis).max()))
    while True:
        candidates = np.array(list(product(range(largest, -largest - 1, -1), repeat=3)))
        candidates = candidates[(candidates @ axis == 0) & candidates.any(axis=1)]
        turns = candidates @ centring.T
        candidates = candidates[(np.abs(turns - np.rint(turns)) < _SAME_SITE).all(axis=1)]
        lengths = np.linalg.norm(candidates @ np.linalg.inv(unit_cell.cell).T, axis=1)
        # An index h beyond those tried makes a vector of at least h / |a|.
        if len(lengths) and lengths.min() <= (largest + 1) / longest_edge:
            best: Int[np.ndarray, "3"] = candidates[
                np.flatnonzero(lengths <= lengths.min() * (1 + _EQUAL_LENGTH))[0]
            ]
            return best
        largest *= 2


def _centring(unit_cell: Crystal) -> Float[np.ndarray, "n 3"]:
    """Translations within the cell that bring the crystal to itself, fractional, (n, 3)."""
    fractional = unit_cell.positions @ np.linalg.inv(unit_cell.cell)
    elements, counts = np.unique(unit_cell.numbers, return_counts=True)
    rarest = np.flatnonzero(unit_cell.numbers == elements[np.argmin(counts)])
    return np.array(
        [
            shift
            for shift in fractional[rarest] - fractional[rarest[0]]
            if _maps_onto_itself(unit_cell, fractional, shift)
        ]
    )


def _maps_onto_itself(
    unit_cell: Crystal, fractional: Float[np.ndarray, "n 3"], shift: Float[np.ndarray, "3"]
) -> bool:
    """Whether every atom, shifted, comes to lie on one of its own element."""
    for element in np.unique(unit_cell.numbers):
        sites = fractional[unit_cell.numbers == element]
        apart = (sites + shift)[:, None] - sites
        distance = np.linalg.norm((apart - np.rint(apart)) @ unit_cell.cell, axis=-1)
        if (distance.min(axis=1) > _SAME_SITE).any():
            return False
    return True
