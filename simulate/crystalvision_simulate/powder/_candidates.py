"""The phases that a powder pattern may be of: from structures, a folder of files, or JSON lines."""

import gzip
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from ase.data import atomic_numbers
from ase.geometry import cellpar_to_cell
from pydantic import ConfigDict, Field, ValidationError, model_validator

from crystalvision.config import Config, Part
from crystalvision.contracts import Crystal, SpaceGroup, described, space_group
from crystalvision.errors import InputError, PluginError
from crystalvision.json_text import parse_json
from crystalvision.plugins import Catalogue
from crystalvision.small_files import read_small
from crystalvision_simulate.powder._phase import (
    Candidate,
    chosen_of,
    formula_of,
    named,
    with_names_of_their_own,
)
from crystalvision_simulate.powder._prototypes import PrototypeSettings, prototype_crystals
from crystalvision_simulate.structures.cif import read_cif, read_shared_cif
from crystalvision_simulate.structures.shared_sites import SharedCrystal, one_atom_a_site

_SUFFIXES = (".cif", ".cif.gz")
_MOST_BYTES = 2**28


class CandidateSettings(Config):
    """Where the phases come from; several are joined.

    Attributes:
        structures: Parts of the kind `structure`, such as `si3n4-beta`. Of `cif`, sites may be
            partly or variously occupied.
        folder: A folder of CIF files, searched with all that lies in it; sites may be partly or
            variously occupied.
        json_lines: A file with one JSON object a line: `lattice` [a, b, c in Å, α, β, γ in degree],
            `sites` [[element, x, y, z], …] in fractions of the cell, all of them, where an element
            may be [[element, occupancy], …]; and `formula`, `space_group` (a number), `symbol`,
            where they are known. It may be packed by gzip.
        prototypes: Those of the AFLOW library, and others by substitution of their elements.
        only: Names or formulas to keep, in this order; by default all. Of several phases of one
            name, `NAME (1)` is the first.
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
    return with_names_of_their_own(kept_of(settings, every_phase(settings, catalogue)))


def kept_of(settings: CandidateSettings, found: Sequence[Candidate]) -> Sequence[Candidate]:
    """Those of all phases that a recipe keeps.

    Raises:
        InputError: A name in `only` that none has.
    """
    return (chosen_of(found, settings.only) if settings.only else found)[: settings.most]


def every_phase(settings: CandidateSettings, catalogue: Catalogue) -> list[Candidate]:
    """All phases that there are, before any is left out; several may have one name.

    Raises:
        InputError: A file that is missing or is none, or a structure that is refused.
    """
    found = [of_part(part, catalogue) for part in settings.structures]
    if settings.folder is not None:
        found += map(of_cif, cif_files(Path(settings.folder), "candidates.folder"))
    if settings.json_lines is not None:
        found += of_lines(Path(settings.json_lines))
    if settings.prototypes is not None:
        found += [
            named(each.crystal, np.ones(len(each.crystal)), SpaceGroup(each.symbol, each.number))
            for each in prototype_crystals(settings.prototypes)
        ]
    return found


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
    return _of_shared(read_shared_cif(path))


def _of_shared(found: SharedCrystal) -> Candidate:
    group = space_group(one_atom_a_site(found.crystal, found.occupancies))
    return named(found.crystal, found.occupancies, group)


def of_part(part: Part, catalogue: Catalogue) -> Candidate:
    """The phase of a structure.

    Raises:
        InputError: There is no such structure, or it refuses an option.
        PluginError: It gave no crystal.
    """
    entry = catalogue.entry("structure", part.name)
    if entry.load() is read_cif:
        return _of_shared(read_shared_cif(**entry.check(part.options)))
    made: object = catalogue.create("structure", part.name, part.options)
    if not isinstance(made, Crystal):
        raise PluginError(f"{entry} of {entry.plugin} gave {described(made)}; expected a Crystal")
    return named(made, np.ones(len(made)), space_group(made))


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
    formula = line.formula or formula_of(crystal, occupancies)
    symbol = line.symbol or (f"no. {line.space_group}" if line.space_group else "")
    return Candidate(f"{formula} {symbol}".strip(), crystal, occupancies, line.space_group)


def _number(symbol: str) -> int:
    """Atomic number of an element, also with a charge; deuterium is hydrogen."""
    match = re.match(r"[A-Z][a-z]?", str(symbol))
    element = {"D": "H", "T": "H"}.get(match.group(), match.group()) if match else ""
    if element not in atomic_numbers or element == "X":
        raise InputError(f"'{symbol}' is no element")
    return int(atomic_numbers[element])
