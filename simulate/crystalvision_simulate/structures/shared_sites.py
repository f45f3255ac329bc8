"""Crystals whose sites are partly or variously occupied: atoms with their occupancies."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal

_SAME_SITE = 0.01  # Å
_KINDS = 118


@dataclass(frozen=True, slots=True, eq=False)
class SharedCrystal:
    """A crystal on average: what shares a site lies on one another.

    Attributes:
        crystal: Every atom that may be there.
        occupancies: Share of cells in which each is there, (n,).
    """

    crystal: Crystal
    occupancies: Float[np.ndarray, "n"]


def one_atom_a_site(crystal: Crystal, occupancies: Float[np.ndarray, "n"]) -> Crystal:
    """The same sites with one atom each, whose number says what is on it: for its symmetry.

    Args:
        crystal: Every atom that may be there.
        occupancies: Share of cells in which each is there, (n,).
    """
    if (occupancies > 0.995).all():
        return crystal
    fractional = (crystal.positions @ np.linalg.inv(crystal.cell)) % 1.0
    kinds: dict[tuple[tuple[int, float], ...], int] = {}
    places, numbers = [], []
    left = np.ones(len(crystal), dtype=bool)
    for atom in range(len(crystal)):
        if not left[atom]:
            continue
        apart = fractional - fractional[atom]
        apart = np.linalg.norm((apart - np.rint(apart)) @ crystal.cell, axis=1)
        here = np.flatnonzero(left & (apart < _SAME_SITE))
        left[here] = False
        kind = tuple(sorted(
            (int(crystal.numbers[one]), round(float(occupancies[one]), 3)) for one in here
        ))  # fmt: skip
        places.append(crystal.positions[atom])
        numbers.append(1 + kinds.setdefault(kind, len(kinds)) % _KINDS)
    return crystal.with_atoms(np.array(places), np.array(numbers))
