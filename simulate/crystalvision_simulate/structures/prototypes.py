"""Crystals of the selected-area study, from a table with a source for each.

Cubic ones, and tetragonal, orthorhombic and monoclinic ones as neighbours of strained cubic ones.

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
    """One crystal.

    Attributes:
        name: Its name.
        description: What it is, without its space group.
        space_group: Number of its space group.
        a_angstrom: Lattice parameter a [Å], at room temperature unless the source says otherwise.
        sites: Element and fractional coordinates of each site of the asymmetric unit, in origin
            choice 1 where the International Tables have two, b unique in a monoclinic cell.
        source: Where the numbers are from.
        b_angstrom: Lattice parameter b [Å]; `None` where it is a.
        c_angstrom: Lattice parameter c [Å]; `None` where it is a.
        beta_deg: Angle β of a monoclinic cell [°]; `None` for 90.
    """

    name: str
    description: str
    space_group: int
    a_angstrom: float
    sites: tuple[tuple[str, float, float, float], ...]
    source: str
    b_angstrom: float | None = None
    c_angstrom: float | None = None
    beta_deg: float | None = None


@cache
def prototypes() -> tuple[Prototype, ...]:
    """Every crystal of the table."""
    rows = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(Prototype(**{**row, "sites": tuple(map(tuple, row["sites"]))}) for row in rows)


def prototype_factories() -> Mapping[str, Callable[..., "Crystal"]]:
    """A factory for each, by name, with the lattice parameters as its options."""
    factories = {}
    for prototype in prototypes():
        factory = _factory(prototype)
        factory.__doc__ = (
            f"{prototype.description} (space group {prototype.space_group}).\n\n"
            f"Source: {prototype.source}.\n"
        )
        factories[prototype.name] = factory
    return factories


def _factory(one: Prototype) -> "partial[Crystal]":
    a, b, c = one.a_angstrom, one.b_angstrom, one.c_angstrom
    if c is None:
        return partial(cubic_crystal, one, a_angstrom=a)
    if b is None:
        return partial(tetragonal_crystal, one, a_angstrom=a, c_angstrom=c)
    if one.beta_deg is None:
        return partial(orthorhombic_crystal, one, a_angstrom=a, b_angstrom=b, c_angstrom=c)
    return partial(
        monoclinic_crystal, one, a_angstrom=a, b_angstrom=b, c_angstrom=c, beta_deg=one.beta_deg
    )


def cubic_crystal(prototype: Prototype, a_angstrom: float) -> "Crystal":
    """The conventional cell of a cubic crystal.

    Args:
        prototype: Its space group and sites.
        a_angstrom: Lattice parameter a [Å].

    Raises:
        InputError: The lattice parameter is not a positive number.
    """
    return _crystal(prototype, a_angstrom, a_angstrom, a_angstrom)


def tetragonal_crystal(prototype: Prototype, a_angstrom: float, c_angstrom: float) -> "Crystal":
    """The conventional cell of a tetragonal crystal.

    Args:
        prototype: Its space group and sites.
        a_angstrom: Lattice parameter a [Å].
        c_angstrom: Lattice parameter c [Å].

    Raises:
        InputError: A lattice parameter is not a positive number.
    """
    return _crystal(prototype, a_angstrom, a_angstrom, c_angstrom)


def orthorhombic_crystal(
    prototype: Prototype, a_angstrom: float, b_angstrom: float, c_angstrom: float
) -> "Crystal":
    """The conventional cell of an orthorhombic crystal.

    Args:
        prototype: Its space group and sites.
        a_angstrom: Lattice parameter a [Å].
        b_angstrom: Lattice parameter b [Å].
        c_angstrom: Lattice parameter c [Å].

    Raises:
        InputError: A lattice parameter is not a positive number.
    """
    return _crystal(prototype, a_angstrom, b_angstrom, c_angstrom)


def monoclinic_crystal(
    prototype: Prototype,
    a_angstrom: float,
    b_angstrom: float,
    c_angstrom: float,
    beta_deg: float,
) -> "Crystal":
    """The conventional cell of a monoclinic crystal, b unique.

    Args:
        prototype: Its space group and sites.
        a_angstrom: Lattice parameter a [Å].
        b_angstrom: Lattice parameter b [Å].
        c_angstrom: Lattice parameter c [Å].
        beta_deg: Angle β between a and c [°].

    Raises:
        InputError: A lattice parameter is not a positive number, or the angle no angle of a cell.
    """
    if not 0 < beta_deg < 180:
        raise InputError(
            f"beta_deg is {beta_deg:g}; expected an angle between 0 and 180°, such as "
            f"{prototype.beta_deg:g} for {prototype.name}"
        )
    return _crystal(prototype, a_angstrom, b_angstrom, c_angstrom, beta_deg)


def _crystal(
    prototype: Prototype, a: float, b: float, c: float, beta_deg: float = 90.0
) -> "Crystal":
    from ase.spacegroup import crystal

    from crystalvision.contracts import Crystal

    for name, value in (("a_angstrom", a), ("b_angstrom", b), ("c_angstrom", c)):
        if not 0 < value < float("inf"):
            usual = getattr(prototype, name) or prototype.a_angstrom
            raise InputError(
                f"{name} is {value:g}; expected a positive number of Å, such as {usual:g} for "
                f"{prototype.name}"
            )
    elements = [element for element, *_ in prototype.sites]
    return Crystal.from_ase(
        crystal(
            elements,
            [coordinates for _, *coordinates in prototype.sites],
            spacegroup=prototype.space_group,
            cellpar=[a, b, c, 90, beta_deg, 90],
        )
    )
