"""The AFLOW library of prototypes, as pymatgen has it, and crystals by substitution in them.

Mehl et al. 2017, Comput. Mater. Sci. 136, S1; Hicks et al. 2019, ibid. 161, S1.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from ase.data import atomic_numbers, chemical_symbols, covalent_radii
from jaxtyping import Int
from pydantic import Field

from crystalvision.config import Config
from crystalvision.contracts import Crystal
from crystalvision.errors import InputError

_METALS = tuple(
    "Li Be Na Mg Al K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Rb Sr Y Zr Nb Mo Ru Rh Pd Ag Cd In Sn Cs "  # noqa: SIM905
    "Ba La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Th U".split()
)
_ANIONS = ["N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Sb", "Te", "I"]
_TRIES = 40  # draws for each crystal that is asked for


class PrototypeSettings(Config):
    """Crystals of the AFLOW library of prototypes, and others like them.

    Attributes:
        originals: Whether those of the library are among them, some 570.
        substitutions: How many more: prototypes whose metals are replaced by other metals, and
            whose non-metals by other non-metals, all drawn; what is neither stays. The cell is
            scaled by the covalent radii. They are candidates to search among, not crystals that
            anybody has seen.
        most_atoms: Prototypes with more atoms in the cell are left out.
        seed: Draws them.
    """

    originals: bool = True
    substitutions: int = Field(default=0, ge=0, le=10_000_000)
    most_atoms: int = Field(default=200, ge=1)
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True, eq=False)
class PrototypeCrystal:
    """A crystal with the space group of its prototype.

    Attributes:
        crystal: Its cell.
        number: Of the space group.
        symbol: Of the space group.
    """

    crystal: Crystal
    number: int
    symbol: str


def prototype_crystals(settings: PrototypeSettings) -> Iterator[PrototypeCrystal]:
    """The crystals, those of the library first.

    Raises:
        InputError: No prototype is so small, or there are not so many substitutions.
    """
    kept = [each for each in _library() if len(each.crystal) <= settings.most_atoms]
    if not kept:
        raise InputError(f"most_atoms is {settings.most_atoms}: no prototype is so small")
    if settings.originals:
        yield from kept
    yield from _substituted(kept, settings)


def _substituted(
    prototypes: list[PrototypeCrystal], settings: PrototypeSettings
) -> Iterator[PrototypeCrystal]:
    rng = np.random.default_rng(settings.seed)
    seen: set[tuple[int, tuple[str, ...]]] = set()
    for _ in range(_TRIES * settings.substitutions):
        if len(seen) == settings.substitutions:
            return
        place = int(rng.integers(len(prototypes)))
        one = prototypes[place]
        there = [chemical_symbols[number] for number in np.unique(one.crystal.numbers)]
        new = _drawn(there, rng)
        key = place, tuple(new[each] for each in there)
        if key in seen or new == {each: each for each in there}:
            continue
        seen.add(key)
        yield PrototypeCrystal(_with_elements(one.crystal, new), one.number, one.symbol)
    if len(seen) < settings.substitutions:
        raise InputError(
            f"substitutions is {settings.substitutions:,}: only {len(seen):,} were found in "
            f"{len(prototypes)} prototypes; ask for fewer, or raise most_atoms"
        )


def _drawn(there: list[str], rng: np.random.Generator) -> dict[str, str]:
    """Another element for each, no two alike."""
    new = {each: each for each in there}
    for family in (_METALS, _ANIONS):
        mine = [each for each in there if each in family]
        new |= dict(zip(mine, rng.permutation(family)[: len(mine)].tolist(), strict=True))
    return new


def _with_elements(crystal: Crystal, new: Mapping[str, str]) -> Crystal:
    """The crystal with other elements, scaled by the mean of their covalent radii."""
    table = np.arange(len(chemical_symbols))
    for old, name in new.items():
        table[atomic_numbers[old]] = atomic_numbers[name]
    numbers: Int[np.ndarray, "n"] = table[crystal.numbers]
    factor = covalent_radii[numbers].sum() / covalent_radii[crystal.numbers].sum()
    return Crystal(crystal.positions * factor, numbers, crystal.cell * factor, crystal.periodic)


@cache
def _library() -> tuple[PrototypeCrystal, ...]:
    """The ordered crystals of the library."""
    import spglib
    from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY

    found = []
    for row in AFLOW_PROTOTYPE_LIBRARY:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what pymatgen thinks of its own data
            structure = row["snl"].structure
            if not structure.is_ordered:
                continue
            try:
                crystal = Crystal.from_pymatgen(structure)
            except InputError:  # a dummy atom
                continue
        number = int(row["tags"]["aflow"].split("_")[2])
        group = spglib.get_spacegroup_type(_first_hall_number(number))
        found.append(PrototypeCrystal(crystal, number, group.international_short))
    return tuple(found)


@cache
def _hall_numbers() -> dict[int, int]:
    import spglib

    first: dict[int, int] = {}
    for hall in range(1, 531):
        first.setdefault(spglib.get_spacegroup_type(hall).number, hall)
    return first


def _first_hall_number(number: int) -> int:
    return _hall_numbers()[number]
