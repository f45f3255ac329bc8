"""What else a CIF states of its crystal, held against the atoms that were found."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crystalvision.errors import InputError
from crystalvision_simulate.structures._cif_block import Block
from crystalvision_simulate.structures._cif_sites import Sites
from crystalvision_simulate.structures._distances import check_distances
from crystalvision_simulate.structures._elements import elements, symbol_of
from crystalvision_simulate.structures._expand import Atoms

_PART = re.compile(r"(?P<element>[A-Z][a-z]?)(?P<count>\d*\.?\d*)[\s,]*")
_GROUP = re.compile(r"\((?P<inside>[\w.\s]*)\)(?P<times>\d{0,4})")
_DEEPEST = 20
_LONGEST = 1000
_COUNT = 0.01  # relative: rounding of a formula's numbers
_VOLUME = 0.01
_DENSITY = 0.03
_GRAMS = 1.66053907  # g/cm³ of one dalton in an Å³


@dataclass(frozen=True, slots=True)
class Expected:
    """What a block states of its contents.

    Attributes:
        formula: Atoms of each element in one formula unit, by atomic number.
        reduced: The same of `_chemical_formula_structural`, if that is a plain formula.
        text: The formula as it is written.
        units: Formula units in the cell.
        density_g_cm3: Density that was worked out from the cell [g/cm³].
        volume_angstrom3: Volume of the cell [Å³].
        assumed: What was left out.
    """

    formula: Mapping[int, float]
    reduced: Mapping[int, float]
    text: str
    units: int | None
    density_g_cm3: float | None
    volume_angstrom3: float | None
    assumed: tuple[str, ...] = ()

    @property
    def tells_how_many(self) -> bool:
        """Whether it says how many atoms are in the cell."""
        return bool(self.formula and self.units) or self.density_g_cm3 is not None


def expected_of(block: Block) -> Expected:
    """What a block states of its contents.

    Raises:
        InputError: A number is none.
    """
    text = block.first("_chemical_formula_sum")
    formula = None if text is None else _parsed(text)
    assumed = []
    if text is not None and formula is None:
        assumed.append(f"_chemical_formula_sum '{text[:40]}' is not understood, and was left out")
    units = block.number("_cell_formula_units_z")
    density = block.number("_exptl_crystal_density_diffrn")
    volume = block.number("_cell_volume")
    if units is not None and (units.value < 1 or units.value % 1):
        raise InputError(f"_cell_formula_units_Z is {units.value:g}; expected a whole number")
    return Expected(
        formula or {},
        _parsed(_flat(block.first("_chemical_formula_structural") or "")) or {},
        text or "",
        None if units is None else int(units.value),
        None if density is None or not density.value else density.value,
        None if volume is None or not volume.value else volume.value,
        tuple(assumed),
    )


def check_volume(expected: Expected, cell: Float[np.ndarray, "3 3"]) -> None:
    """Hold the volume of the cell against what is stated.

    Raises:
        InputError: They differ.
    """
    found, stated = abs(float(np.linalg.det(cell))), expected.volume_angstrom3
    if stated is not None and abs(found / stated - 1) > _VOLUME:
        raise InputError(
            f"_cell_volume is {stated:g} Å³, but the lengths and angles make {found:.6g} Å³; "
            "correct what is wrong"
        )


def check_atoms(
    expected: Expected, sites: Sites, atoms: Atoms, cell: Float[np.ndarray, "3 3"]
) -> None:
    """Hold the atoms of the cell against multiplicities, formula, Z, density and distances.

    Raises:
        InputError: They contradict each other.
    """
    _check_multiplicities(sites, atoms)
    _check_formula(expected, atoms)
    labels = [sites.labels[index] for index in atoms.site]
    check_distances(cell, atoms.fractional, atoms.numbers, labels)
    _check_density(expected, atoms, cell)


def formula_of(counts: Mapping[int, float]) -> str:
    """Elements and their numbers, such as `N8 Si6`."""
    return " ".join(
        f"{symbol_of(number)}{count:g}"
        for number, count in sorted(counts.items(), key=lambda each: symbol_of(each[0]))
    )


def _check_multiplicities(sites: Sites, atoms: Atoms) -> None:
    found = np.bincount(atoms.site, minlength=len(sites.labels))
    for label, stated, count in zip(sites.labels, sites.multiplicities, found, strict=True):
        if stated and stated != count:
            raise InputError(
                f"site '{label}' stands for {count} atoms of the cell, but the file states a "
                f"multiplicity of {stated}; correct its coordinates, the symmetry or the "
                "multiplicity"
            )


def _check_formula(expected: Expected, atoms: Atoms) -> None:
    numbers, found = np.unique(atoms.numbers, return_counts=True)
    counts = {int(number): int(count) for number, count in zip(numbers, found, strict=True)}
    units = expected.units
    if not expected.formula:
        if units and any(count % units for count in counts.values()):
            raise InputError(
                f"the sites and the symmetry make {formula_of(counts)} in the cell, which is not "
                f"{units} formula units (_cell_formula_units_Z); correct what is wrong"
            )
        return
    if _equal(counts, _contents(expected, sum(counts.values()))):
        return
    lost = [symbol_of(number) for number in expected.formula if number not in counts]
    advice = (
        f"no site is of {', '.join(lost)}: add its sites, or state the formula of what the sites "
        "hold"
        if lost
        else "correct the sites, the symmetry or the formula"
    )
    raise InputError(
        f"the sites and the symmetry make {formula_of(counts)} in the cell, but the file states "
        f"{expected.text}{f' and Z = {units}' if units else ''}; {advice}"
    )


def _contents(expected: Expected, atoms: int) -> dict[int, float]:
    """What the cell may hold; pymatgen states all atoms of the cell, and a formula unit beside."""
    formula = expected.formula
    total = sum(formula.values())
    if expected.units is None:
        times = max(1, round(atoms / total))
        return _times(formula, times)
    if _equal(formula, _times(expected.reduced, expected.units)):
        return dict(formula)
    return _times(formula, expected.units)


def _times(formula: Mapping[int, float], factor: float) -> dict[int, float]:
    return {number: count * factor for number, count in formula.items()}


def _equal(one: Mapping[int, float], other: Mapping[int, float]) -> bool:
    return one.keys() == other.keys() and all(
        abs(one[number] - other[number]) <= _COUNT * one[number] for number in one
    )


def _check_density(expected: Expected, atoms: Atoms, cell: Float[np.ndarray, "3 3"]) -> None:
    from ase.data import atomic_masses

    stated = expected.density_g_cm3
    found = _GRAMS * float(atomic_masses[atoms.numbers].sum()) / abs(float(np.linalg.det(cell)))
    if stated is not None and abs(found / stated - 1) > _DENSITY:
        raise InputError(
            f"the atoms in the cell make {found:.4g} g/cm³, but the file states {stated:g} "
            "(_exptl_crystal_density_diffrn); correct the sites, the symmetry or the density"
        )


def _flat(text: str) -> str:
    """A formula with its groups multiplied out: `Cr (Fe9 Ni4)2` as `Cr Fe18 Ni8`."""
    for _ in range(_DEEPEST):
        group = _GROUP.search(text)
        if group is None or len(text) > _LONGEST:
            break
        times = int(group["times"] or 1)
        parts = _PART.finditer(group["inside"])
        inside = "".join(
            f"{part['element']}{float(part['count'] or 1) * times:g} "
            for part in parts
            if part["count"] != "."
        )
        text = text[: group.start()] + inside + text[group.end() :]
    return text


def _parsed(text: str) -> dict[int, float] | None:
    """Atoms of each element; `None` for what is no plain formula."""
    found: dict[int, float] = {}
    place, text = 0, text.strip()
    while place < len(text):
        part = _PART.match(text, place)
        if part is None or part["element"] not in elements() or part["count"] == ".":
            return None
        number = elements()[part["element"]]
        found[number] = found.get(number, 0.0) + float(part["count"] or 1)
        place = part.end()
    counts: Sequence[float] = [*found.values()]
    return found if counts and min(counts) > 0 else None
