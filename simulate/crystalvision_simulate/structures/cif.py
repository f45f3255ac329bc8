"""Crystals from CIF files: read with gemmi, and held against everything that the file states."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, space_group
from crystalvision.errors import InputError
from crystalvision_simulate.structures._cif_block import Block, choose_block, read_blocks
from crystalvision_simulate.structures._cif_checks import (
    Expected,
    check_atoms,
    check_volume,
    expected_of,
    missing_text,
)
from crystalvision_simulate.structures._cif_sites import Sites, cell_of, check_kind, sites_of
from crystalvision_simulate.structures._cif_symmetry import CandidateSetting, candidates_of
from crystalvision_simulate.structures._distances import lonely_atom
from crystalvision_simulate.structures._expand import Atoms, expand
from crystalvision_simulate.structures._operations import operations_from
from crystalvision_simulate.structures._text import read_text
from crystalvision_simulate.structures.shared_sites import SharedCrystal, one_atom_a_site

_NO_SYMMETRY = "the file states no symmetry: its sites are taken for all atoms of the cell (P 1)"
_SYSTEMS = (3, 16, 75, 143, 195)  # first group of each crystal system; hexagonal as trigonal
_MANY = 1_000  # sites: no asymmetric unit has so many
_ALIKE = 0.05  # Å: atoms of a file with few digits that symmetry relates
_MOVED = 0.002  # Å: a site that was moved farther onto its special position is told


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What the file is in one of the settings that it allows."""

    candidate: CandidateSetting
    atoms: Atoms


def read_cif(path: Path, block: str | None = None, missing: str | tuple[str, ...] = ()) -> Crystal:
    """Any crystal, from a CIF file.

    Sites, symmetry and cell must make one crystal, and agree with whatever else the file states:
    other names of its space group, multiplicities, formula, Z, density and volume. What the file
    leaves open is decided only where all but one reading contradict it; what was assumed is in
    `Crystal.assumed`.

    Args:
        path: A CIF file with one ordered structure; relative to the working directory. It may be
            packed by gzip.
        block: The data block to read, where several hold a structure.
        missing: Elements that may have fewer sites than the formula has atoms, such as H, which
            X-rays hardly see: the crystal is read without the rest.

    Raises:
        InputError: The file is missing, does not parse, has partially occupied sites, contradicts
            itself, or could be more than one crystal.
        StorageError: The file cannot be read.
    """
    return _read(path, block, missing, shared=False).crystal


def read_shared_cif(
    path: Path, block: str | None = None, missing: str | tuple[str, ...] = ()
) -> SharedCrystal:
    """The same of a crystal whose sites may be partly or variously occupied, with its occupancies.

    Args:
        path: A CIF file with one structure.
        block: The data block to read, where several hold a structure.
        missing: Elements that may have fewer sites than the formula has atoms.

    Raises:
        InputError: The file is missing, does not parse, contradicts itself, or could be more than
            one crystal.
        StorageError: The file cannot be read.
    """
    return _read(path, block, missing, shared=True)


def _read(
    path: Path, block: str | None, missing: str | tuple[str, ...], *, shared: bool
) -> SharedCrystal:
    text = read_text(path, "a CIF file")
    try:
        return _crystal_of(choose_block(read_blocks(text), block), missing, shared=shared)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def looks_like_cif(text: str) -> bool:
    """Whether the text of a file is that of a CIF with a structure, whatever its name."""
    lines = [line.strip().lower() for line in text.splitlines()]
    begins = next((line for line in lines if line and not line.startswith("#")), "")
    return begins.startswith("data_") and any(line.startswith("_cell") for line in lines)


def crystal_of(block: Block, missing: str | tuple[str, ...] = ()) -> Crystal:
    """The crystal of a data block.

    Args:
        block: The block.
        missing: Elements that may have fewer sites than the formula has atoms.

    Raises:
        InputError: It contradicts itself, or could be more than one crystal.
    """
    return _crystal_of(block, missing, shared=False).crystal


def _crystal_of(block: Block, missing: str | tuple[str, ...], *, shared: bool) -> SharedCrystal:
    check_kind(block)
    cell, assumed = cell_of(block)
    expected = expected_of(block, (missing,) if isinstance(missing, str) else missing)
    assumed += check_volume(expected, cell)
    sites = sites_of(block, tuple(expected.formula), shared=shared)
    reading = _reading(candidates_of(block, cell), sites, expected, cell)
    assumed += [*expected.assumed, *sites.assumed, *reading.candidate.assumed]
    assumed += _moves_text(sites, reading.atoms)
    assumed += missing_text(expected, reading.atoms)
    crystal = Crystal(
        positions=reading.atoms.fractional @ cell,
        numbers=reading.atoms.numbers,
        cell=cell,
        periodic=np.ones(3, dtype=bool),
        assumed=tuple(dict.fromkeys(assumed)),
    )
    return SharedCrystal(crystal, reading.atoms.occupancies)


def _reading(
    candidates: Sequence[CandidateSetting],
    sites: Sites,
    expected: Expected,
    cell: Float[np.ndarray, "3 3"],
) -> _Reading:
    """The one setting in which the file contradicts nothing."""
    if not candidates:
        return _without_symmetry(sites, expected, cell)
    possible: list[_Reading] = []
    reasons: list[InputError] = []
    for candidate in candidates:
        try:
            atoms = expand(sites, candidate.operations, cell)
            check_atoms(expected, sites, atoms, cell)
        except InputError as error:
            reasons.append(error)
        else:
            possible.append(_Reading(candidate, atoms))
    if not possible:
        raise reasons[0]
    first = possible[0]
    if len(candidates) == 1:
        return first
    names = [each.candidate.name for each in possible]
    if len(possible) == 1:
        reason, _, _ = str(reasons[0]).partition(";")
        why = f"in the others the file contradicts itself ({reason})"
    elif all(_same_atoms(first.atoms, each.atoms, cell) for each in possible[1:]):
        why = f"{', '.join(names[1:])} would give the same atoms"
    else:
        counts = ", ".join(f"{each.candidate.name} ({len(each.atoms.numbers)} atoms)"
                           for each in possible)  # fmt: skip
        raise InputError(
            f"the file does not say which setting of its space group it has, and they give "
            f"different crystals: {counts}; write _space_group_name_H-M_alt '{names[0]}' or "
            f"'{names[1]}', or the operations"
        )
    sentence = f"the setting is {first.candidate.name}, which the file does not say: {why}"
    return _Reading(
        CandidateSetting(
            first.candidate.name,
            first.candidate.operations,
            (*first.candidate.assumed, sentence),
        ),
        first.atoms,
    )


def _without_symmetry(sites: Sites, expected: Expected, cell: Float[np.ndarray, "3 3"]) -> _Reading:
    """The sites as all atoms of the cell, if that makes a crystal."""
    identity = operations_from([])
    atoms = expand(sites, identity, cell)
    write = "write its symmetry, or _space_group_name_H-M_alt 'P 1' if it lists all atoms"
    try:
        check_atoms(expected, sites, atoms, cell)
    except InputError as error:
        raise InputError(
            f"the file states no symmetry, and without any {error}; {write}"
        ) from error
    if not expected.states_count:
        alone = lonely_atom(cell, atoms.fractional, atoms.numbers)
        if alone is not None:
            raise InputError(
                "the file states no symmetry, and without any, "
                f"site '{sites.labels[alone]}' has no neighbour within a bond's length; {write}"
            )
        if _less_symmetric_than_cell(cell, atoms):
            raise InputError(
                "the file states no symmetry, and without any, the atoms have less of it than the "
                f"lengths and angles of the cell; {write}"
            )
    return _Reading(CandidateSetting("P 1", identity, (_NO_SYMMETRY,)), atoms)


def _less_symmetric_than_cell(cell: Float[np.ndarray, "3 3"], atoms: Atoms) -> bool:
    """Whether the lattice has symmetry that the atoms lack, as when a file lists only some."""
    if len(atoms.numbers) > _MANY:
        return False
    periodic = np.ones(3, dtype=bool)
    lattice = Crystal(np.zeros((1, 3)), np.ones(1, dtype=np.int64), cell, periodic)
    crystal = one_atom_a_site(
        Crystal(atoms.fractional @ cell, atoms.numbers, cell, periodic), atoms.occupancies
    )
    ranks = []
    for each in (crystal, lattice):
        group = space_group(each, tolerance_angstrom=_ALIKE)
        ranks.append(0 if group is None else bisect_right(_SYSTEMS, group.number))
    return ranks[0] < ranks[1]


def _same_atoms(one: Atoms, other: Atoms, cell: Float[np.ndarray, "3 3"]) -> bool:
    """Whether two lists of atoms are the same atoms, in whatever order."""
    from scipy.spatial import cKDTree

    if sorted(one.numbers) != sorted(other.numbers):
        return False
    for number in np.unique(one.numbers):
        here, there = (each.fractional[each.numbers == number] % 1.0 % 1.0
                       for each in (one, other))  # fmt: skip
        for these, those in ((here, there), (there, here)):
            _, nearest = cKDTree(those, boxsize=1.0).query(these)
            apart = these - those[nearest]
            if np.linalg.norm((apart - np.rint(apart)) @ cell, axis=-1).max() > _MOVED:
                return False
    return True


def _moves_text(sites: Sites, atoms: Atoms) -> list[str]:
    moved = np.flatnonzero(atoms.moved > _MOVED)
    if not len(moved):
        return []
    names = ", ".join(sites.labels[index] for index in moved[:5])
    more = f" and {len(moved) - 5} more" if len(moved) > 5 else ""
    sentence = f"coordinates of {names}{more} were moved by up to {atoms.moved.max():.2g} Å"
    return [f"{sentence}, onto the special position that they round"]
