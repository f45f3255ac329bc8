"""What every defect asks of its numbers and of the crystal that it leaves."""

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError


def check_fraction(name: str, value: float) -> float:
    """Return a fraction in [0, 1].

    Raises:
        InputError: It is outside.
    """
    if not 0 <= value <= 1:
        raise InputError(f"{name} is {value}; expected a fraction from 0 to 1")
    return value


def check_not_negative(name: str, value: float) -> float:
    """Return a finite number that is not negative.

    Raises:
        InputError: It is negative or not finite.
    """
    if not (np.isfinite(value) and value >= 0):
        raise InputError(f"{name} is {value}; expected a number that is not negative")
    return value


def nearest_neighbour_angstrom(crystal: Crystal, region_angstrom: float = 12.0) -> float:
    """Shortest distance between atoms [Å], from a region of the crystal as large as this [Å].

    A region is enough, because it is the ideal crystal that is measured, and quick for many atoms.
    """
    near = np.linalg.norm(crystal.positions - crystal.positions[0], axis=1) < region_angstrom
    positions = crystal.positions[near]
    if len(positions) < 2:
        return float(np.linalg.norm(crystal.cell, axis=1).min())
    distances, _ = cKDTree(positions).query(positions, k=2)
    return float(distances[:, 1].min())


def check_distances(
    name: str,
    crystal: Crystal,
    displacements: Float[np.ndarray, "n 3"],
    smallest_fraction: float,
) -> None:
    """Refuse displacements that push atoms into each other.

    Args:
        name: What asked for them, with its value, for the error.
        crystal: The crystal before they are applied.
        displacements: Displacement of every atom [Å], (n, 3).
        smallest_fraction: No two atoms may come nearer than this fraction of the shortest distance
            in `crystal`.

    Raises:
        InputError: Two atoms come nearer.
    """
    shortest = nearest_neighbour_angstrom(crystal)
    allowed = smallest_fraction * shortest
    largest = float(np.sqrt((displacements**2).sum(axis=1).max()))
    if shortest - 2 * largest >= allowed:  # no pair can be too near, so no search is needed
        return
    moved = crystal.positions + displacements
    distances, _ = cKDTree(moved).query(moved, k=2)
    found = float(distances[:, 1].min())
    if found < allowed:
        raise InputError(
            f"{name} brings two atoms within {found:.2f} Å of each other, less than "
            f"{smallest_fraction:g} of the shortest distance {shortest:.2f} Å; make it smaller, "
            "or lower smallest_distance_fraction if you mean it"
        )
