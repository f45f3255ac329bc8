"""Zone axes: how a crystal must be turned so that [uvw] lies along the beam."""

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.specimens._translations import generating_translations

_WHOLE = 1e-3  # of a turn: files round their coordinates
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


def zone_reflections(
    unit_cell: Crystal, zone_axis: tuple[int, int, int], reach_inv_angstrom: float
) -> Int[np.ndarray, "n 3"]:
    """Every hkl of the zero-order Laue zone up to a length, 000 first, (n, 3).

    They are of the crystal's own reciprocal lattice, whether the unit cell is primitive or not;
    glides and screws may still forbid them.

    Raises:
        InputError: The zone axis is [0, 0, 0].
    """
    axis = reduced_axis(zone_axis)
    # An index h is at most |g| times the edge a that it counts along.
    largest = int(reach_inv_angstrom * np.linalg.norm(unit_cell.cell, axis=1).max()) + 1
    found = _of_lattice(unit_cell, _in_zone(axis, largest))
    lengths = np.linalg.norm(found @ np.linalg.inv(unit_cell.cell).T, axis=1)
    within: Int[np.ndarray, "n 3"] = np.concatenate(
        [np.zeros((1, 3), dtype=np.int64), found[lengths <= reach_inv_angstrom]]
    )
    return within


def _of_lattice(unit_cell: Crystal, hkl: Int[np.ndarray, "n 3"]) -> Int[np.ndarray, "m 3"]:
    """Those that no centring of the unit cell forbids."""
    turns = hkl @ generating_translations(unit_cell).T
    allowed: Int[np.ndarray, "m 3"] = hkl[(np.abs(turns - np.rint(turns)) < _WHOLE).all(axis=1)]
    return allowed


def _shortest_in_zone(unit_cell: Crystal, axis: Int[np.ndarray, "3"]) -> Int[np.ndarray, "3"]:
    """Indices hkl of the shortest vector of the reciprocal lattice with hu + kv + lw = 0."""
    centring = generating_translations(unit_cell)
    longest_edge = np.linalg.norm(unit_cell.cell, axis=1).max()
    largest = max(2, int(np.abs(axis).max()))
    while True:
        candidates = _in_zone(axis, largest)
        turns = candidates @ centring.T
        candidates = candidates[(np.abs(turns - np.rint(turns)) < _WHOLE).all(axis=1)]
        lengths = np.linalg.norm(candidates @ np.linalg.inv(unit_cell.cell).T, axis=1)
        # An index h beyond those tried makes a vector of at least h / |a|.
        if len(lengths) and lengths.min() <= (largest + 1) / longest_edge:
            best: Int[np.ndarray, "3"] = candidates[
                np.flatnonzero(lengths <= lengths.min() * (1 + _EQUAL_LENGTH))[0]
            ]
            return best
        largest *= 2


def _in_zone(axis: Int[np.ndarray, "3"], largest: int) -> Int[np.ndarray, "n 3"]:
    """All hkl but 000 with hu + kv + lw = 0 up to an index, the greatest h, then k, then l first.

    Two indices are free; the third, of the greatest of u, v, w, follows.
    """
    third = int(np.abs(axis).argmax())
    free = [index for index in range(3) if index != third]
    span = np.arange(largest, -largest - 1, -1)
    hkl = np.zeros((len(span), len(span), 3), dtype=np.int64)
    hkl[..., free[0]], hkl[..., free[1]] = span[:, None], span
    rest = hkl @ axis
    hkl[..., third] = -rest // axis[third]
    allowed = (rest % axis[third] == 0) & (np.abs(hkl[..., third]) <= largest) & hkl.any(axis=-1)
    found: Int[np.ndarray, "n 3"] = hkl[allowed]
    order = np.lexsort(-found.T[::-1])
    ordered: Int[np.ndarray, "n 3"] = found[order]
    return ordered
