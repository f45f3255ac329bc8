"""The phases that a powder pattern may be of: from structures, a folder of files, or JSON lines."""

import gzip
import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols
from ase.geometry import cellpar_to_cell
from jaxtyping import Float
from pydantic import ConfigDict, Field, ValidationError, model_validator

from crystalvision.config import Config, Part
from crystalvision.contracts import Crystal, SpaceGroup, described, space_group
from crystalvision.errors import InputError, PluginError
from crystalvision.json_text import parse_json
from crystalvision.plugins import Catalogue
from crystalvision.small_files import read_small
from crystalvision_simulate.powder._prototypes import PrototypeSettings, prototype_crystals
from crystalvision_simulate.structures.cif import read_shared_cif
from crystalvision_simulate.structures.shared_sites import one_atom_a_site

_SUFFIXES = (".cif", ".cif.gz")
_MOST_BYTES = 2**28
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


class CandidateSettings(Config):
    """Where the phases come from; several are joined.

    Attributes:
        structures: Parts of the kind `structure`, such as `si3n4-beta`.
        folder: A folder of CIF files, searched with all that lies in it; sites may be partly or
            variously occupied.
        json_lines: A file with one JSON object a line: `lattice` [a, b, c in Å, α, β, γ in degree],
            `sites` [[element, x, y, z], …] in fractions of the cell, all of them, where an element
            may be [[element, occupancy], …]; and `formula`, `space_group` (a number), `symbol`,
            where they are known. It may be packed by gzip.
        prototypes: Those of the AFLOW library, and others by substitution of their elements.
        only: Names or formulas to keep; by default all.
        most: How many to keep, the first; by default all.
    """

    structures: tuple[Part, ...] = ()
    folder: str | None = None
    json_lines: str | None = None
    prototypes: PrototypeSettings | None = None
    only: tuple[str, ...] = ()
    most: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.structures or self.folder or self.json_lines or self.prototypes):
            raise ValueError("expected structures, a folder, json_lines, or prototypes")
        return self


def candidates_of(settings: CandidateSettings, catalogue: Catalogue) -> tuple[Candidate, ...]:
    """The phases of a recipe, in the order in which they are given.

    Raises:
        InputError: A file that is missing or is none, a structure that is refused, fewer than two
            phases, or a name in `only` that none has.
    """
    found = phases_of(settings, catalogue)
    if len(found) < 2:
        raise InputError(f"candidates: {len(found)} found; expected at least two to tell apart")
    return found


def phases_of(settings: CandidateSettings, catalogue: Catalogue) -> tuple[Candidate, ...]:
    """The same, however few there are.

    Raises:
        InputError: A file that is missing or is none, a structure that is refused, or a name in
            `only` that none has.
    """
    found = [_of_part(part, catalogue) for part in settings.structures]
    if settings.folder is not None:
        found += map(of_cif, cif_files(Path(settings.folder), "candidates.folder"))
    if settings.json_lines is not None:
        found += of_lines(Path(settings.json_lines))
    if settings.prototypes is not None:
        found += [
            _named(each.crystal, np.ones(len(each.crystal)), SpaceGroup(each.symbol, each.number))
            for each in prototype_crystals(settings.prototypes)
        ]
    if settings.only:
        found = _chosen(found, settings.only)
    return _with_names_of_their_own(found[: settings.most])


def digest_of(candidates: Sequence[Candidate]) -> str:
    """What tells these phases from others, SHA-256 (hex)."""
    digest = hashlib.sha256()
    for one in candidates:
        for content in _content(one):
            digest.update(content)
        digest.update(one.name.encode())
    return digest.hexdigest()


def phase_digest(phase: Candidate) -> str:
    """What tells a phase from others, whatever it is called, SHA-256 (hex)."""
    return hashlib.sha256(b"".join(_content(phase))).hexdigest()


def _content(phase: Candidate) -> Iterator[bytes]:
    crystal = phase.crystal
    for array in (crystal.positions.round(6), crystal.numbers, crystal.cell.round(6)):
        yield np.ascontiguousarray(array).tobytes()
    yield phase.occupancies.round(6).tobytes()


def is_cif(path: Path) -> bool:
    """Whether a file is a CIF, by its name."""
    return path.name.lower().endswith(_SUFFIXES)


def cif_files(folder: Path, where: str) -> list[Path]:
    """The CIF files in a folder and all that lies in it.

    Raises:
        InputError: There are none; the text begins with `where`.
    """
    if not folder.is_dir():
        raise InputError(f"{where}: {folder} is no folder; expected one with CIF files")
    paths = sorted(path for path in folder.rglob("*") if is_cif(path))
    if not paths:
        raise InputError(f"{where}: {folder} holds no file that ends in .cif")
    return paths


def of_cif(path: Path) -> Candidate:
    """The phase of a CIF file, whose sites may be partly or variously occupied.

    Raises:
        InputError: The file is refused.
    """
    found = read_shared_cif(path)
    crystal = found.crystal
    group = space_group(one_atom_a_site(crystal, found.occupancies))
    return _named(crystal, found.occupancies, group)


def _of_part(part: Part, catalogue: Catalogue) -> Candidate:
    made: object = catalogue.create("structure", part.name, part.options)
    if not isinstance(made, Crystal):
        entry = catalogue.entry("structure", part.name)
        raise PluginError(f"{entry} of {entry.plugin} gave {described(made)}; expected a Crystal")
    return _named(made, np.ones(len(made)), space_group(made))


def _named(
    crystal: Crystal, occupancies: Float[np.ndarray, "n"], group: SpaceGroup | None
) -> Candidate:
    """A phase with its formula and space group for a name."""
    symbol = f" {group.symbol}" if group else ""
    name = f"{_formula(crystal, occupancies)}{symbol}"
    return Candidate(name, crystal, occupancies, group.number if group else 0)


class _Line(Config):
    """One phase of a file of JSON lines; other keys are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    lattice: tuple[float, float, float, float, float, float]
    sites: Annotated[tuple[tuple[Any, float, float, float], ...], Field(min_length=1)]
    formula: str = ""
    symbol: str = ""
    space_group: Annotated[int, Field(ge=0, le=230)] = 0


def of_lines(path: Path) -> Iterator[Candidate]:
    """The phases of a file of JSON lines.

    Raises:
        InputError: It is missing, or a line is wrong.
    """
    try:
        content = read_small(path, _MOST_BYTES)
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except FileNotFoundError as error:
        raise InputError(f"candidates.json_lines: {path}: no such file") from error
    except (OSError, EOFError) as error:
        raise InputError(f"candidates.json_lines: {path}: {error}") from error
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield _of_line(_Line.model_validate(parse_json(line)))
        except (ValidationError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"{path}, line {number}: {reason}") from error


def _of_line(line: _Line) -> Candidate:
    cell = np.asarray(cellpar_to_cell(line.lattice), dtype=np.float64)  # type: ignore[no-untyped-call]
    places, numbers, shares = [], [], []
    for kinds, *place in line.sites:
        for symbol, share in kinds if isinstance(kinds, list) else [[kinds, 1.0]]:
            places.append(place)
            numbers.append(_number(symbol))
            shares.append(float(share))
    occupancies = np.array(shares)
    if occupancies.min() < 0 or occupancies.max() > 1 + 1e-6:
        raise InputError(f"an occupancy of {occupancies.max():g}; expected 0 to 1")
    crystal = Crystal(
        positions=np.array(places) @ cell,
        numbers=np.array(numbers),
        cell=cell,
        periodic=np.ones(3, dtype=bool),
    )
    formula = line.formula or _formula(crystal, occupancies)
    symbol = line.symbol or (f"no. {line.space_group}" if line.space_group else "")
    return Candidate(f"{formula} {symbol}".strip(), crystal, occupancies, line.space_group)


def _number(symbol: str) -> int:
    """Atomic number of an element, also with a charge; deuterium is hydrogen."""
    match = re.match(r"[A-Z][a-z]?", str(symbol))
    element = {"D": "H", "T": "H"}.get(match.group(), match.group()) if match else ""
    if element not in atomic_numbers or element == "X":
        raise InputError(f"'{symbol}' is no element")
    return int(atomic_numbers[element])


def _formula(crystal: Crystal, occupancies: Float[np.ndarray, "n"]) -> str:
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


def _chosen(found: Sequence[Candidate], only: Sequence[str]) -> list[Candidate]:
    wanted = set(only)
    kept = [one for one in found if one.name in wanted or one.name.partition(" ")[0] in wanted]
    known = {one.name for one in kept} | {one.name.partition(" ")[0] for one in kept}
    if missing := sorted(wanted - known):
        raise InputError(f"candidates.only: none of {len(found)} phases is '{missing[0]}'")
    return kept


def _with_names_of_their_own(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Phases whose names differ: among those of one name, all but the first have a number."""
    seen: dict[str, int] = {}
    named = []
    for one in found:
        seen[one.name] = count = seen.get(one.name, 0) + 1
        name = one.name if count == 1 else f"{one.name} ({count})"
        named.append(Candidate(name, one.crystal, one.occupancies, one.space_group))
    return tuple(named)
