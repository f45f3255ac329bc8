"""What else a CIF states of its crystal, held against the atoms that were found."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from crystalvision.errors import InputError
from crystalvision_simulate.structures._cif_block import Block
from crystalvision_simulate.structures._cif_sites import FULL, Sites
from crystalvision_simulate.structures._distances import check_distances
from crystalvision_simulate.structures._elements import elements, symbol_of
from crystalvision_simulate.structures._expand import Atoms

_PART = re.compile(r"(?P<element>[A-Z][a-z]?)(?P<count>\d*\.?\d*)[\s,]*")
_GROUP = re.compile(r"\((?P<inside>[\w.\s]*)\)(?P<times>\d{0,4})")
_HYDROGEN = 1
_DEEPEST = 20
_LONGEST = 1000
_COUNT = 0.01  # relative: rounding of a formula's numbers
_SHARED_COUNT = 0.05  # the same where occupancies count
_BOXES = 10_000  # along a cell vector: atoms in one are on one site
_MOST_OF_A_SITE = 1.02  # occupancies are rounded, too
_VOLUME = 0.03
_SAME_VOLUME = 0.01  # more is told: lengths that were measured again, and the volume forgotten
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
        missing: Atomic numbers of elements that may have fewer sites than the formula has atoms.
        assumed: What was left out.
    """

    formula: Mapping[int, float]
    reduced: Mapping[int, float]
    text: str
    units: int | None
    density_g_cm3: float | None
    volume_angstrom3: float | None
    missing: frozenset[int] = frozenset()
    assumed: tuple[str, ...] = ()

    @property
    def states_count(self) -> bool:
        """Whether it says how many atoms are in the cell."""
        return bool(self.formula and self.units) or self.density_g_cm3 is not None


def expected_of(block: Block, missing: Sequence[str] = ()) -> Expected:
    """What a block states of its contents.

    Args:
        block: The block.
        missing: Elements that may have fewer sites than the formula has atoms.

    Raises:
        InputError: A number is none, or an element that is missing is none.
    """
    unknown = [symbol for symbol in missing if symbol not in elements()]
    if unknown:
        raise InputError(f"missing is '{unknown[0][:20]}', which is no element; expected such as H")
    text = block.first("_chemical_formula_sum")
    formula = None if text is None else _parsed(_flat(text))
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
        frozenset(elements()[symbol] for symbol in missing),
        tuple(assumed),
    )


def check_volume(expected: Expected, cell: Float[np.ndarray, "3 3"]) -> list[str]:
    """Hold the volume of the cell against what is stated.

    Returns:
        What was assumed, if they differ a little.

    Raises:
        InputError: They differ.
    """
    found, stated = abs(float(np.linalg.det(cell))), expected.volume_angstrom3
    apart = 0.0 if stated is None else abs(found / stated - 1)
    differ = f"_cell_volume is {stated or 0:g} Å³, but the lengths and angles make {found:.6g} Å³"
    if apart > _VOLUME:
        raise InputError(f"{differ}; correct what is wrong")
    return [f"{differ}: these were taken"] if apart > _SAME_VOLUME else []


def check_atoms(
    expected: Expected, sites: Sites, atoms: Atoms, cell: Float[np.ndarray, "3 3"]
) -> None:
    """Hold the atoms of the cell against multiplicities, formula, Z, density and distances.

    Raises:
        InputError: They contradict each other.
    """
    _check_multiplicities(sites, atoms)
    _check_formula(expected, atoms)
    # What shares a site, or is there only in some cells, may be as near as it likes.
    full = np.flatnonzero(atoms.occupancies >= FULL)
    labels = [sites.labels[index] for index in atoms.site[full]]
    if len(full):
        check_distances(cell, atoms.fractional[full], atoms.numbers[full], labels)
    _check_shared(sites, atoms)
    _check_density(expected, atoms, cell)


def _check_shared(sites: Sites, atoms: Atoms) -> None:
    """Check that no place is occupied by more than one atom.

    Raises:
        InputError: One is.
    """
    if (sites.occupancies >= FULL).all():
        return
    boxes = np.rint(atoms.fractional % 1.0 * _BOXES).astype(np.int64) % _BOXES
    _, which = np.unique(boxes, axis=0, return_inverse=True)
    sums = np.bincount(which.ravel(), atoms.occupancies)
    worst = int(sums.argmax())
    if sums[worst] > _MOST_OF_A_SITE:
        names = [sites.labels[atoms.site[n]] for n in np.flatnonzero(which.ravel() == worst)]
        raise InputError(
            f"sites {', '.join(names[:4])} are one place, whose occupancies sum to "
            f"{sums[worst]:.4g}; expected at most 1"
        )


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
    counts, units = _counts(atoms), expected.units
    if not expected.formula:
        whole = bool((atoms.occupancies >= FULL).all())
        if whole and units and any(count % units for count in counts.values()):
            raise InputError(
                f"the sites and the symmetry make {formula_of(counts)} in the cell, which is not "
                f"{units} formula units (_cell_formula_units_Z); correct what is wrong"
            )
        return
    if _agree(expected, counts, _tolerance(atoms)):
        return
    raise InputError(
        f"the sites and the symmetry make {formula_of(counts)} in the cell, but the file states "
        f"{expected.text}{f' and Z = {units}' if units else ''}; {_advice(expected, counts)}"
    )


def _advice(expected: Expected, counts: Mapping[int, float]) -> str:
    """How to make formula and atoms agree."""
    lost = [symbol_of(number) for number in expected.formula if number not in counts]
    if _agree(replace(expected, missing=expected.missing | {_HYDROGEN}), counts):
        return (
            f"{'no site is' if lost else 'not enough sites are'} of H, which X-rays hardly see: "
            "add its sites, or simulate the crystal without them by the option missing, such as "
            "structure: {name: cif, path: …, missing: H} or --set structure.missing=H"
        )
    if lost:
        return (
            f"no site is of {', '.join(lost)}: add its sites, or state the formula of what the "
            "sites hold"
        )
    return "correct the sites, the symmetry or the formula"


def _counts(atoms: Atoms) -> dict[int, float]:
    """Atoms of each element in a cell, on average."""
    found = np.bincount(atoms.numbers, atoms.occupancies)
    return {int(number): float(found[number]) for number in np.flatnonzero(found)}


def _tolerance(atoms: Atoms) -> float:
    """How far numbers of a formula may be off, over themselves: occupancies have few digits."""
    return _COUNT if (atoms.occupancies >= FULL).all() else _SHARED_COUNT


def _agree(expected: Expected, counts: Mapping[int, float], tolerance: float = _COUNT) -> bool:
    """Whether a cell holds what it should, save for what may be missing."""
    contents = _contents(expected, counts)
    lacking = {
        number: count
        for number, count in contents.items()
        if number in expected.missing and counts.get(number, 0) < count
    }
    return _equal({**counts, **lacking}, contents, tolerance)


def _contents(expected: Expected, counts: Mapping[int, float]) -> dict[int, float]:
    """What the cell may hold; pymatgen states all atoms of the cell, and a formula unit beside."""
    formula = expected.formula
    if expected.units is None:
        there = formula.keys() - expected.missing or formula.keys()
        atoms = sum(count for number, count in counts.items() if number not in expected.missing)
        return _times(formula, max(1, round(atoms / sum(formula[number] for number in there))))
    if _equal(formula, _times(expected.reduced, expected.units)):
        return dict(formula)
    return _times(formula, expected.units)


def missing_text(expected: Expected, atoms: Atoms) -> list[str]:
    """What a cell lacks of the formula, for the user."""
    return [
        f"{count:g} {symbol_of(number)} of the cell have no sites, and are left out"
        for number, count in sorted(_lacking(expected, atoms).items())
    ]


def _lacking(expected: Expected, atoms: Atoms) -> dict[int, float]:
    if not expected.missing or not expected.formula:
        return {}
    counts = _counts(atoms)
    contents = _contents(expected, counts)
    lacking = {number: contents.get(number, 0.0) - counts.get(number, 0.0)
               for number in expected.missing}  # fmt: skip
    return {number: count for number, count in lacking.items() if count > 0}


def _times(formula: Mapping[int, float], factor: float) -> dict[int, float]:
    return {number: count * factor for number, count in formula.items()}


def _equal(one: Mapping[int, float], other: Mapping[int, float], tolerance: float = _COUNT) -> bool:
    return one.keys() == other.keys() and all(
        abs(one[number] - other[number]) <= tolerance * one[number] for number in one
    )


def _check_density(expected: Expected, atoms: Atoms, cell: Float[np.ndarray, "3 3"]) -> None:
    from ase.data import atomic_masses

    stated = expected.density_g_cm3
    if stated is None:
        return
    lacking = _lacking(expected, atoms).items()
    mass = float(atomic_masses[atoms.numbers] @ atoms.occupancies)
    mass += sum(count * float(atomic_masses[number]) for number, count in lacking)
    found = _GRAMS * mass / abs(float(np.linalg.det(cell)))
    unknown = bool(expected.missing) and not expected.formula  # how many are missing
    if found / stated - 1 > _DENSITY or (1 - found / stated > _DENSITY and not unknown):
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
