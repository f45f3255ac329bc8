"""What every defect asks of its numbers and of the crystal that it leaves."""

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal, Parent
from crystalvision.errors import InputError
from crystalvision_simulate.defects._neighbours import wrapped


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


def atomic_number(name: str, symbol: str) -> int:
    """Atomic number of an element.

    Raises:
        InputError: There is no such element.
    """
    from ase.data import atomic_numbers

    if symbol not in atomic_numbers or atomic_numbers[symbol] == 0:
        raise InputError(f"{name} is '{symbol}'; expected a chemical symbol such as Si")
    return int(atomic_numbers[symbol])


def rounded_by_chance(expected: float, rng: np.random.Generator) -> int:
    """A whole number whose mean is exactly `expected`."""
    return int(expected) + int(rng.random() < expected - int(expected))


def parent_of(crystal: Crystal, defect: str) -> Parent:
    """The ideal crystal that a crystal was cut from.

    Raises:
        InputError: It was not cut from one.
    """
    if crystal.parent is None:
        raise InputError(
            f"{defect}: the crystal does not say what it was cut from, so [uvw] and (hkl) mean "
            "nothing; cut it with SlabCutter or CrystalCutter first"
        )
    return crystal.parent


def refuse_periodic(crystal: Crystal, defect: str) -> None:
    """Refuse a crystal that repeats across the beam.

    Raises:
        InputError: It does.
    """
    if crystal.periodic[:2].any():
        raise InputError(
            f"{defect}: the crystal repeats across the beam and this defect does not; cut it for "
            "an aperture instead (set specimen.aperture_diameter_angstrom)"
        )


def nearest_neighbour_angstrom(crystal: Crystal, region_angstrom: float = 12.0) -> float:
    """Shortest distance between atoms [Å], from a region of the crystal as large as this [Å].

    A region is enough in a crystal that is alike everywhere, and quick for many atoms.
    """
    near = np.linalg.norm(crystal.positions - crystal.positions[0], axis=1) < region_angstrom
    positions = crystal.positions[near]
    if len(positions) < 2:
        return float(np.linalg.norm(crystal.cell, axis=1).min())
    distances, _ = cKDTree(positions).query(positions, k=2)
    return float(distances[:, 1].min())


def smallest_distance_angstrom(
    crystal: Crystal, displacements: Float[np.ndarray, "n 3"], enough: float
) -> float:
    """Shortest distance between atoms once they are displaced [Å].

    Args:
        crystal: The crystal before; an orthogonal cell counts as periodic where it says so.
        displacements: Displacement of every atom [Å], (n, 3).
        enough: A distance [Å] that is returned where none is shorter.
    """
    room = nearest_neighbour_angstrom(crystal) - enough
    # Of two atoms that come nearer than that, one at least moves by half of the room.
    movers = np.flatnonzero((displacements**2).sum(axis=1) >= max(room / 2, 0) ** 2)
    if not len(movers):
        return enough
    moved = crystal.positions + displacements
    lengths = np.where(crystal.periodic, np.diag(crystal.cell), 0)
    if np.count_nonzero(crystal.cell - np.diag(np.diag(crystal.cell))):
        lengths = np.zeros(3)  # the tree knows no oblique cells
    moved = wrapped(moved, lengths)
    # A plain tree is built in a third of the time, and few atoms ask it.
    tree = cKDTree(moved, boxsize=lengths, balanced_tree=False, compact_nodes=False)
    distances, _ = tree.query(moved[movers], k=2)
    return min(float(distances[:, 1].min()), enough)
