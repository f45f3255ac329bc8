"""The AFLOW library of prototypes, as pymatgen has it, and crystals by substitution in them.

Mehl et al. 2017, Comput. Mater. Sci. 136, S1.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import gemmi
import numpy as np
from ase.data import atomic_numbers, chemical_symbols, covalent_radii
from jaxtyping import Int
from pydantic import Field

from crystalvision.config import Config
from crystalvision.contracts import Crystal
from crystalvision.errors import InputError

_METALS = tuple(
    "Li Be Na Mg Al K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Rb Sr Y Zr Nb Mo Ru Rh Pd Ag Cd In Sn Cs "  # noqa: SIM905 - a list of quotes is harder to read
    "Ba La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Th U".split()
)
_ANIONS = ["N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Sb", "Te", "I"]
_TABLE = "aflow_prototypes.json.gz"
_MOST_MISSED = 5000  # draws in a row that are there already: then there are hardly more


class PrototypeSettings(Config):
    """Crystals of the AFLOW library of prototypes, and others like them.

    Attributes:
        originals: Whether those of the library are among them, some 290.
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
    missed = 0  # since the last new one
    while len(seen) < settings.substitutions and missed < _MOST_MISSED:
        place = int(rng.integers(len(prototypes)))
        one = prototypes[place]
        there = [chemical_symbols[number] for number in np.unique(one.crystal.numbers)]
        new = _drawn(there, rng)
        key = place, tuple(new[each] for each in there)
        if key in seen or new == {each: each for each in there}:
            missed += 1
            continue
        seen.add(key)
        missed = 0
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
    found = []
    for row in json.loads(gzip.decompress(_file().read_bytes())):
        sites = row["snl"]["sites"]
        elements = [site["species"][0]["element"] for site in sites]
        if any(len(site["species"]) > 1 or site["species"][0]["occu"] < 1 for site in sites):
            continue
        crystal = Crystal(
            positions=np.array([site["xyz"] for site in sites]),
            numbers=np.array([atomic_numbers[element] for element in elements]),
            cell=np.array(row["snl"]["lattice"]["matrix"]),
            periodic=np.ones(3, dtype=bool),
        )
        number = int(row["tags"]["aflow"].split("_")[2])
        symbol = gemmi.find_spacegroup_by_number(number).hm.replace(" ", "")
        found.append(PrototypeCrystal(crystal, number, symbol))
    return tuple(found)


def _file() -> Path:
    """The table itself: the module that reads it takes seconds to import.

    Raises:
        InputError: This version of pymatgen has it somewhere else.
    """
    spec = find_spec("pymatgen.analysis")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in (Path(folder, "prototypes", _TABLE), Path(folder, _TABLE)):
            if path.is_file():
                return path
    raise InputError(
        f"pymatgen {version('pymatgen')} has no {_TABLE}, which prototypes are read from; install "
        "another version, or leave candidates.prototypes out"
    )
