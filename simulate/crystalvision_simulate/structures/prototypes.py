"""Cubic crystals of the selected-area study, from a table with a source for each.

Each is a structure by its own name. Imported whenever plugins are loaded, so it imports nothing
that is slow.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.errors import InputError

if TYPE_CHECKING:
    from crystalvision.contracts import Crystal

_TABLE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True, slots=True)
class Prototype:
    """One cubic crystal.

    Attributes:
        name: Its name.
        description: What it is, without its space group.
        space_group: Number of its space group.
        a_angstrom: Lattice parameter [Å], at room temperature unless the source says otherwise.
        sites: Element and fractional coordinates of each site of the asymmetric unit, in origin
            choice 1 where the International Tables have two.
        source: Where the numbers are from.
    """

    name: str
    description: str
    space_group: int
    a_angstrom: float
    sites: tuple[tuple[str, float, float, float], ...]
    source: str


@cache
def prototypes() -> tuple[Prototype, ...]:
    """Every crystal of the table."""
    rows = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(Prototype(**{**row, "sites": tuple(map(tuple, row["sites"]))}) for row in rows)


def prototype_factories() -> Mapping[str, Callable[..., "Crystal"]]:
    """A factory for each, by name, with the lattice parameter as its option."""
    factories = {}
    for prototype in prototypes():
        factory = partial(cubic_crystal, prototype, a_angstrom=prototype.a_angstrom)
        factory.__doc__ = (
            f"{prototype.description} (space group {prototype.space_group}).\n\n"
            f"Source: {prototype.source}.\n"
        )
        factories[prototype.name] = factory
    return factories


def cubic_crystal(prototype: Prototype, a_angstrom: float) -> "Crystal":
    """The conventional cell of a cubic crystal.

    Args:
        prototype: Its space group and sites.
        a_angstrom: Lattice parameter a [Å].

    Raises:
        InputError: The lattice parameter is not a positive number.
    """
    from ase.spacegroup import crystal

    from crystalvision.contracts import Crystal

    if not 0 < a_angstrom < float("inf"):
        raise InputError(
            f"a_angstrom is {a_angstrom:g}; expected a positive number of Å, such as "
            f"{prototype.a_angstrom:g} for {prototype.name}"
        )
    elements = [element for element, *_ in prototype.sites]
    return Crystal.from_ase(
        crystal(
            elements,
            [coordinates for _, *coordinates in prototype.sites],
            spacegroup=prototype.space_group,
            cellpar=[a_angstrom] * 3 + [90] * 3,
        )
    )
