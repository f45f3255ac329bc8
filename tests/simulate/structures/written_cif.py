"""Structures of every space group with known atoms, and CIFs of them in many styles."""

import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cache

import gemmi
import numpy as np
import spglib
from ase.data import chemical_symbols, covalent_radii
from ase.geometry import cell_to_cellpar, cellpar_to_cell
from ase.neighborlist import primitive_neighbor_list

ELEMENTS = (14, 8, 26, 22, 7)
_APART = 0.8  # of the sum of covalent radii: atoms that no rounding brings within half of it
_PARTS = 24
_DIGITS_OF_CELL = 5


@dataclass(frozen=True, eq=False)
class Structure:
    """A crystal of which every atom is known.

    Attributes:
        group: Its setting, from gemmi's table.
        parameters: Cell parameters [Å, °].
        sites: Atomic number and fractional coordinates of each site.
        atoms: The same of each atom of the cell: numbers (n,) and coordinates (n, 3).
    """

    group: gemmi.SpaceGroup
    parameters: tuple[float, ...]
    sites: list[tuple[int, np.ndarray]]
    atoms: tuple[np.ndarray, np.ndarray]

    @property
    def cell(self):
        return cellpar_to_cell(self.parameters)


@cache
def settings():
    """Every setting of every space group."""
    return list(gemmi.spacegroup_table())


@cache
def _matrices(hall):
    found = [(op.rot, op.tran) for op in gemmi.symops_from_hall(hall)]
    rotations, translations = (np.array(each) // 1 for each in zip(*found, strict=True))
    return rotations // _PARTS, translations / _PARTS


def structure_of(group, rng):
    """A crystal in a setting: up to three sites, on general and on special positions."""
    rotations, translations = _matrices(group.hall)
    cell = _cell(rotations, rng)
    while True:
        sites = [
            (int(rng.choice(ELEMENTS)), _place(rotations, translations, rng))
            for _ in range(rng.integers(1, 4))
        ]
        orbits = [_orbit(rotations, translations, place) for _, place in sites]
        count = sum(map(len, orbits))
        scale = (count * 22.0 / abs(np.linalg.det(cell))) ** (1 / 3)
        parameters = cell_to_cellpar(cell * scale)
        parameters = tuple(np.round(parameters, _DIGITS_OF_CELL))
        numbers = np.repeat([number for number, _ in sites], [len(each) for each in orbits])
        atoms = np.concatenate(orbits)
        if count <= 400 and _apart(cellpar_to_cell(parameters), numbers, atoms):
            return Structure(group, parameters, sites, (numbers, atoms))


def _cell(rotations, rng):
    """A cell whose lengths and angles have the symmetry."""
    lengths = rng.uniform(4, 9, size=3)
    while True:
        angles = rng.uniform(72, 108, size=3)
        cell = cellpar_to_cell([*lengths, *angles])
        metric = np.mean([w.T @ (cell @ cell.T) @ w for w in rotations], axis=0)
        cell = np.linalg.cholesky(metric)
        if np.linalg.cond(cell) < 8:
            return cell


def _place(rotations, translations, rng):
    """A position: general, on a symmetry element, or of simple fractions."""
    kind, place = rng.integers(3), rng.uniform(size=3)
    if kind == 0:
        return place
    if kind == 1:
        simple = rng.choice([0, 1 / 8, 1 / 4, 1 / 3, 3 / 8, 1 / 2, 2 / 3, 3 / 4, 7 / 8], size=3)
        return np.where(rng.random(3) < 0.8, simple, place)
    for _ in range(20):
        at = rng.integers(len(rotations))
        turn, shift = rotations[at], translations[at] + rng.integers(-1, 2, size=3)
        images = [place]
        for _ in range(12):
            images.append(turn @ images[-1] + shift)
            # As `np.allclose`, which takes ten times as long.
            if (abs(images[-1] - place) <= 1e-8 + 1e-5 * abs(place)).all():
                return np.mean(images[:-1], axis=0)
    return place


def _orbit(rotations, translations, place):
    images = (rotations @ place + translations) % 1
    kept = []
    for image in images:
        apart = np.array([image - other for other in kept]).reshape(-1, 3)
        if not (abs(apart - np.rint(apart)).max(axis=1) < 1e-6).any():
            kept.append(image)
    return np.array(kept)


def _apart(cell, numbers, fractional):
    radii = _APART * covalent_radii[numbers]
    found = primitive_neighbor_list("d", [True] * 3, cell, fractional @ cell, list(radii))
    return not len(found)


@cache
def _full_symbols():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it reports errors
        groups = [spglib.get_spacegroup_type(number) for number in range(1, 531)]
    return {group.hall_symbol: group.international_full for group in groups}


SYMMETRIES = ("operations", "hall", "extended", "short", "compact", "full", "number", "all-atoms")


@dataclass(frozen=True)
class Style:
    """How a CIF is written.

    Attributes:
        symmetry: How the symmetry is stated; `all-atoms` states none.
        digits: Decimals of the coordinates.
        cut: Whether further ones are cut off, not rounded.
        new: Whether tags are of the newer dictionary.
        contents: Whether formula and Z are stated.
        density: Whether the density is.
        blocks: Whether there are blocks without a structure.
        mark: Whether a byte-order mark begins the file.
        newline: What ends its lines.
        gap: What stands between values.
        quote: What quotes values.
        uncertainty: Whether uncertainties follow the numbers.
        types: Whether there are type symbols.
    """

    symmetry: str
    digits: int
    cut: bool = False
    new: bool = False
    contents: bool = False
    density: bool = False
    blocks: bool = False
    mark: bool = False
    newline: str = "\n"
    gap: str = " "
    quote: str = "'"
    uncertainty: bool = False
    types: bool = True


def a_style(symmetry, rng):
    """A style with this way to state the symmetry."""
    flag = lambda: bool(rng.random() < 0.5)  # noqa: E731
    return Style(
        symmetry,
        int(rng.choice([3, 4, 6])),
        *(flag() for _ in range(6)),
        newline=str(rng.choice(["\n", "\r\n", "\r"])),
        gap=str(rng.choice([" ", "\t", "   "])),
        quote=str(rng.choice(["'", '"'])),
        uncertainty=flag(),
        types=flag(),
    )


def can_state(structure, symmetry):
    """Whether the symmetry of a structure can be stated so."""
    group = structure.group
    if symmetry == "number":
        return group.is_reference_setting()
    return symmetry != "full" or group.hall in _full_symbols()


def written(structure, style):
    """The bytes of a CIF."""
    lines = ["#\\#CIF_1.1"]
    if style.blocks:
        lines += ["data_global", "_publ_section_title", ";", "A crystal", "loop_ of words", ";"]
    lines += ["data_crystal", *_cell_lines(structure, style), *_symmetry_lines(structure, style)]
    if style.contents or style.density:
        lines += _content_lines(structure, style)
    lines += _site_lines(structure, style)
    if style.blocks:
        lines += ["data_other", "loop_", "_refln_index_h", "1", "2", "3"]
    text = style.newline.join(lines) + style.newline
    return text.encode("utf-8-sig" if style.mark else "utf-8")


def _cell_lines(structure, style):
    names = [
        *(f"length_{axis}" for axis in "abc"),
        *(f"angle_{n}" for n in ("alpha", "beta", "gamma")),
    ]
    behind = "(2)" if style.uncertainty else ""
    return [
        f"_cell_{name}{style.gap}{value:.{_DIGITS_OF_CELL}f}{behind}"
        for name, value in zip(names, structure.parameters, strict=True)
    ]


def _symmetry_lines(structure, style):
    group, quote = structure.group, style.quote
    name = "_space_group_name_H-M_alt" if style.new else "_symmetry_space_group_name_H-M"
    if style.symmetry == "operations":
        tag = "_space_group_symop_operation_xyz" if style.new else "_symmetry_equiv_pos_as_xyz"
        listed = [op.triplet() for op in gemmi.symops_from_hall(group.hall)]
        return ["loop_", tag, *(f"{quote}{each}{quote}" for each in listed)]
    if style.symmetry == "hall":
        tag = "_space_group_name_Hall" if style.new else "_symmetry_space_group_name_Hall"
        return (
            [tag, ";" + group.hall, ";"]
            if '"' in group.hall
            else [f"{tag} {quote}{group.hall}{quote}"]
        )
    texts = {
        "extended": group.xhm(),
        "short": group.hm,
        "compact": group.short_name(),
        "full": _full_symbols().get(group.hall, "") if style.symmetry == "full" else "",
    }
    if style.symmetry in texts:
        return [f"{name} {quote}{texts[style.symmetry]}{quote}"]
    if style.symmetry == "number":
        tag = "_space_group_IT_number" if style.new else "_symmetry_Int_Tables_number"
        return [f"{tag} {group.number}"]
    return []


def _content_lines(structure, style):
    numbers = structure.atoms[0]
    counts = Counter(numbers.tolist())
    units = int(np.gcd.reduce(list(counts.values())))
    formula = " ".join(f"{chemical_symbols[n]}{count // units}" for n, count in counts.items())
    lines = []
    if style.contents:
        lines += [f"_chemical_formula_sum '{formula}'", f"_cell_formula_units_Z {units}"]
    if style.density:
        from ase.data import atomic_masses

        mass = atomic_masses[numbers].sum()
        density = 1.66053907 * mass / abs(np.linalg.det(structure.cell))
        lines.append(f"_exptl_crystal_density_diffrn {density:.3f}")
    return lines


def _site_lines(structure, style):
    sites = structure.sites
    if style.symmetry == "all-atoms":
        sites = list(zip(*structure.atoms, strict=True))
    lines = ["loop_", "_atom_site_label"]
    lines += ["_atom_site_type_symbol"] if style.types else []
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"]
    for at, (number, place) in enumerate(sites, start=1):
        symbol = chemical_symbols[number]
        values = [f"{symbol}{at}", *([symbol] if style.types else [])]
        values += [_coordinate(value, style) for value in place]
        lines.append(style.gap.join(values))
    return lines


def _coordinate(value, style):
    if style.cut:
        value = np.trunc(round(value * 10**style.digits, 6)) / 10**style.digits
    text = f"{value:.{style.digits}f}"
    return text + "(3)" if style.uncertainty and value * 8 % 1 else text


def farthest(structure, crystal):
    """How far an atom that was read lies from the nearest that there is [Å]; inf if others are."""
    numbers, expected = structure.atoms
    if len(crystal) != len(numbers) or not np.allclose(crystal.cell, structure.cell, atol=1e-3):
        return np.inf
    found = crystal.positions @ np.linalg.inv(crystal.cell)
    apart = expected[:, None] - found[None]
    distance = np.linalg.norm((apart - np.rint(apart)) @ structure.cell, axis=-1)
    distance[numbers[:, None] != crystal.numbers[None]] = np.inf
    nearest = distance.argmin(axis=1)
    return float(distance.min(axis=1).max()) if len(set(nearest)) == len(numbers) else np.inf
