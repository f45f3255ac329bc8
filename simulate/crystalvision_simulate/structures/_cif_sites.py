"""The atom sites and the cell of a CIF block."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crystalvision.errors import InputError
from crystalvision_simulate.structures._cif_block import Block, Number, number
from crystalvision_simulate.structures._distances import check_cell
from crystalvision_simulate.structures._elements import element_of, elements, heavy_hydrogen

_AXES = ("x", "y", "z")
FULL = 0.995  # an occupancy that rounds to one
_REFUSED = {
    "_cell_modulation_dimension": "a modulated structure, which no unit cell describes",
    "_space_group_ssg_name": "a modulated structure, which no unit cell describes",
    "_cell_wave_vector_x": "a modulated structure, which no unit cell describes",
    "_space_group_symop_magn_operation_xyz": "a magnetic structure, whose operations are not those "
    "of its atoms",
    "_space_group_symop_magn_operation_mxmymz": "a magnetic structure",
    "_space_group_magn_number_bns": "a magnetic structure, whose operations are not those of its "
    "atoms",
    "_space_group_magn_name_bns": "a magnetic structure, whose operations are not those of its "
    "atoms",
}


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """The atom sites of an asymmetric unit.

    Attributes:
        labels: Their labels.
        numbers: Their atomic numbers, (m,).
        fractional: Their fractional coordinates, (m, 3).
        step: One in the last digit of the coordinates of each, (m,).
        occupancies: Share of cells in which each is there, (m,).
        multiplicities: How many atoms each stands for, where the file says so.
        assumed: What was assumed.
    """

    labels: Sequence[str]
    numbers: Int[np.ndarray, "m"]
    fractional: Float[np.ndarray, "m 3"]
    step: Float[np.ndarray, "m"]
    occupancies: Float[np.ndarray, "m"]
    multiplicities: Sequence[int | None]
    assumed: tuple[str, ...] = ()


def check_kind(block: Block) -> None:
    """Refuse structures that one cell of ordered atoms does not describe.

    Raises:
        InputError: The block is modulated or magnetic.
    """
    for name, what in _REFUSED.items():
        if any(value is not None for value in block.tags.get(name, [])):
            raise InputError(f"{what} ({name}); give an ordinary structure in a cell of all atoms")


def cell_of(block: Block) -> tuple[Float[np.ndarray, "3 3"], list[str]]:
    """The cell vectors as rows [Å], a along x and b in the xy plane, (3, 3), and what was assumed.

    Raises:
        InputError: A length is missing, or they make no cell.
    """
    from ase.geometry import cellpar_to_cell

    lengths = [_cell_number(block, f"_cell_length_{axis}") for axis in "abc"]
    angles = [block.number(f"_cell_angle_{name}") for name in ("alpha", "beta", "gamma")]
    assumed = []
    if None in angles:
        assumed.append("an angle of the cell that is not given is 90°, as CIF has it")
    parameters = [*lengths, *(90.0 if angle is None else angle.value for angle in angles)]
    cell_text = f"the cell has a, b, c = {lengths} Å and angles {parameters[3:]}°"
    if not all(1 < angle < 179 for angle in parameters[3:]):
        raise InputError(f"{cell_text}; expected angles between 1° and 179°")
    if min(lengths) <= 0:
        raise InputError(f"{cell_text}; expected positive lengths")
    cosines = np.cos(np.radians(parameters[3:]))
    if 1 + 2 * cosines.prod() - (cosines**2).sum() < 1e-6:
        raise InputError(f"{cell_text}, which do not close to a cell")
    cell = np.array(cellpar_to_cell(parameters), dtype=np.float64)
    check_cell(cell)
    return cell, assumed


def sites_of(block: Block, formula: Sequence[int], *, shared: bool = False) -> Sites:
    """The atom sites of a block; each must have coordinates and, unless `shared`, be full.

    Args:
        block: The block.
        formula: Atomic numbers in the formula that it states, if it does.
        shared: Whether sites may be partly or variously occupied.

    Raises:
        InputError: A site is partly occupied, has no coordinates or names no element.
    """
    coordinates = _coordinates(block)
    count = len(coordinates[0])
    labels = _labels(block, count)
    types = _column(block, count, "_atom_site_type_symbol")
    dummy = [value == "dum" for value in _column(block, count, "_atom_site_calc_flag")]
    occupancies = _occupancies(block, labels)
    if not shared:
        _check_full(block, labels, occupancies, dummy)
    kept = [index for index in range(count) if not dummy[index]]
    if not kept:
        raise InputError("its atom sites are all dummies (_atom_site_calc_flag dum)")
    multiplicities = _multiplicities(block, count)
    fractional, steps, symbols = [], [], []
    for index in kept:
        numbers = [_coordinate(labels[index], axis, coordinates[at][index])
                   for at, axis in enumerate(_AXES)]  # fmt: skip
        fractional.append([each.value for each in numbers])
        steps.append(_step(numbers))
        symbols.append(element_of(labels[index], types[index], formula))
    assumed = _assumed(symbols, [label for label, gone in zip(labels, dummy, strict=True) if gone])
    if block.column("_atom_site_type_symbol") is None:
        assumed.append("elements are as the labels of the sites begin; there are no type symbols")
    return Sites(
        labels=[labels[index] for index in kept],
        numbers=np.array([elements()[symbol] for symbol in symbols], dtype=np.int64),
        fractional=np.array(fractional),
        step=np.array(steps),
        occupancies=np.minimum([occupancies[index] for index in kept], 1.0),
        multiplicities=[multiplicities[index] for index in kept],
        assumed=tuple(assumed),
    )


def _assumed(symbols: Sequence[str], dummies: Sequence[str]) -> list[str]:
    assumed = [
        f"{name} ({symbol}) scatters as the element does"
        for symbol in dict.fromkeys(symbols)
        if (name := heavy_hydrogen(symbol))
    ]
    if dummies:
        assumed.append(f"dummy sites (_atom_site_calc_flag dum) are no atoms: {_few(dummies)}")
    return assumed


def _cell_number(block: Block, name: str) -> float:
    found = block.number(name)
    if found is None:
        raise InputError(f"block '{block.name}' gives no {name}; a crystal needs its cell")
    return found.value


def _coordinates(block: Block) -> list[list[str | None]]:
    columns = [block.column(f"_atom_site_fract_{axis}") for axis in _AXES]
    missing = [axis for axis, column in zip(_AXES, columns, strict=True) if column is None]
    if missing:
        raise InputError(
            f"block '{block.name}' gives no _atom_site_fract_{missing[0]}; write fractional "
            "coordinates of each site"
        )
    loops = {block.loop_of[f"_atom_site_fract_{axis}"] for axis in _AXES}
    found = [column for column in columns if column is not None]
    if len(loops) > 1 and len(found[0]) > 1:
        raise InputError("the coordinates x, y and z of the sites stand in different loops")
    return found


def _column(block: Block, count: int, *names: str) -> list[str | None]:
    """A column of the atom sites; without a value where it is missing.

    Raises:
        InputError: It is in another loop.
    """
    found = block.column(*names)
    if found is None:
        return [None] * count
    if len(found) != count:
        raise InputError(f"{names[0]} has {len(found)} values for {count} sites")
    return found


def _labels(block: Block, count: int) -> list[str]:
    labels = _column(block, count, "_atom_site_label", "_atom_site_id")
    types = _column(block, count, "_atom_site_type_symbol")
    return [
        label or f"{kind or ''}#{index}"
        for index, (label, kind) in enumerate(zip(labels, types, strict=True), start=1)
    ]


def _coordinate(label: str, axis: str, text: str | None) -> Number:
    if text is None:
        raise InputError(
            f"site '{label[:20]}' has no coordinate {axis}; give its place, or leave the site out"
        )
    found = number(text, f"coordinate {axis} of site '{label[:20]}'")
    if abs(found.value) > 1000:
        raise InputError(f"site '{label[:20]}' has {axis} = {text}, which is no fraction of a cell")
    return found


def _step(numbers: Sequence[Number]) -> float:
    """One in the last digit; numbers such as 0.5 are as exact as their neighbours."""
    rounded = [each.step for each in numbers if each.value * 8 % 1]
    return max(rounded, default=0.0)


def _occupancies(block: Block, labels: Sequence[str]) -> list[float]:
    """The occupancy of each site, 1 where none is given.

    Raises:
        InputError: One is more than 1, or negative.
    """
    found = []
    for label, text in zip(
        labels, _column(block, len(labels), "_atom_site_occupancy"), strict=True
    ):
        value = 1.0 if text is None else number(text, f"occupancy of site '{label[:20]}'").value
        if not 0 <= value <= 1.005:
            expected = "at least 0" if value < 0 else "at most 1"
            raise InputError(f"site '{label[:20]}' has an occupancy of {text}; expected {expected}")
        found.append(value)
    return found


def _check_full(
    block: Block, labels: Sequence[str], occupancies: Sequence[float], dummy: Sequence[bool]
) -> None:
    for label, value, gone in zip(labels, occupancies, dummy, strict=True):
        if value < FULL and not gone:
            raise InputError(
                f"the crystal has partially occupied sites; make it ordered first (site "
                f"'{label[:20]}' has an occupancy of {value:g}; pymatgen: "
                "OrderDisorderedStructureTransformation)"
            )
    groups = _column(block, len(labels), "_atom_site_disorder_group")
    found = [group for group in dict.fromkeys(groups) if group not in {None, "0"}]
    if len(found) > 1 or any(group.startswith("-") for group in found if group):
        raise InputError(
            f"the crystal is disordered (_atom_site_disorder_group "
            f"{', '.join(map(str, found))[:60]}); keep the sites of one group"
        )


def _multiplicities(block: Block, count: int) -> list[int | None]:
    found = _column(
        block, count, "_atom_site_site_symmetry_multiplicity", "_atom_site_symmetry_multiplicity"
    )
    return [int(text) if text and text.isascii() and text.isdigit() else None for text in found]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
