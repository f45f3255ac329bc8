"""A phase that a powder pattern may be of, and what it is called among others."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase.data import atomic_masses, chemical_symbols
from jaxtyping import Float

from crystalvision.contracts import Crystal, SpaceGroup
from crystalvision.errors import InputError

_SYSTEMS = (
    (2, "triclinic"),
    (15, "monoclinic"),
    (74, "orthorhombic"),
    (142, "tetragonal"),
    (167, "trigonal"),
    (194, "hexagonal"),
    (230, "cubic"),
)
CRYSTAL_SYSTEMS = tuple(name for _, name in _SYSTEMS)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A phase.

    Attributes:
        name: Formula and space group; among phases of one name, with a number.
        crystal: Its unit cell; atoms that share a site lie on one another.
        occupancies: Share of cells in which each atom is there, (n,).
        space_group: Its number in the International Tables; 0 where nobody knows.
    """

    name: str
    crystal: Crystal
    occupancies: Float[np.ndarray, "n"]
    space_group: int

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols of its elements, by the alphabet."""
        there = self.crystal.numbers[self.occupancies > 0]
        return tuple(sorted(chemical_symbols[number] for number in set(there.tolist())))

    @property
    def density(self) -> float:
        """Mass of a unit of volume [u/Å³]."""
        mass = float((atomic_masses[self.crystal.numbers] * self.occupancies).sum())
        return mass / abs(float(np.linalg.det(self.crystal.cell)))

    @property
    def crystal_system(self) -> str:
        """One of `CRYSTAL_SYSTEMS`; empty where the space group is not known."""
        if not self.space_group:
            return ""
        return next(name for last, name in _SYSTEMS if self.space_group <= last)


def named(
    crystal: Crystal, occupancies: Float[np.ndarray, "n"], group: SpaceGroup | None
) -> Candidate:
    """A phase with its formula and space group for a name."""
    symbol = f" {group.symbol}" if group else ""
    name = f"{formula_of(crystal, occupancies)}{symbol}"
    return Candidate(name, crystal, occupancies, group.number if group else 0)


def formula_of(crystal: Crystal, occupancies: Float[np.ndarray, "n"]) -> str:
    """The reduced formula of a cell, as chemists order it."""
    from pymatgen.core.composition import Composition

    # As many formula units as divide the numbers of places that are occupied alike.
    kinds = Counter(zip(crystal.numbers.tolist(), occupancies.round(4).tolist(), strict=True))
    units = math.gcd(*kinds.values())
    counts: dict[str, float] = {}
    for (number, share), places in kinds.items():
        symbol = chemical_symbols[number]
        counts[symbol] = counts.get(symbol, 0.0) + share * places / units
    return str(Composition(counts).reduced_formula)


def chosen_of(found: Sequence[Candidate], only: Sequence[str]) -> list[Candidate]:
    """Those of some names or formulas, in this order.

    Raises:
        InputError: None has one of the names.
    """
    kept: dict[int, Candidate] = {}
    numbered = names_with_numbers(found)
    for name in only:
        those = {
            place: one
            for place, one in enumerate(found)
            if name in {one.name, one.name.partition(" ")[0], numbered[place]}
        }
        if not those:
            raise InputError(f"candidates.only: none of {len(found)} phases is '{name}'")
        kept |= {place: one for place, one in those.items() if place not in kept}
    return [*kept.values()]


def names_with_numbers(found: Sequence[Candidate]) -> list[str]:
    """The name of each phase, with a number where several have that name."""
    count = Counter(one.name for one in found)
    seen: Counter[str] = Counter()
    names = []
    for one in found:
        seen[one.name] += 1
        names.append(one.name if count[one.name] == 1 else f"{one.name} ({seen[one.name]})")
    return names


def with_names_of_their_own(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Phases whose names differ: among those of one name, all but the first have a number."""
    return tuple(
        one if name == f"{one.name} (1)" else replace(one, name=name)
        for one, name in zip(found, names_with_numbers(found), strict=True)
    )
