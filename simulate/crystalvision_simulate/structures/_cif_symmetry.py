"""The symmetry that a CIF block states: every statement of it is read, and all must agree."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
from jaxtyping import Float

from crystalvision.errors import InputError
from crystalvision_simulate.structures._cif_block import Block
from crystalvision_simulate.structures._operations import (
    PARTS,
    Operations,
    operations_from,
    operations_of_hall,
)
from crystalvision_simulate.structures._space_groups import (
    Setting,
    setting_of,
    settings_of_name,
    settings_of_number,
)

_OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_NAMES = (
    "_space_group_name_h-m_alt",
    "_space_group_name_h-m_full",
    "_space_group_name_h-m_ref",
    "_space_group_name_h-m",
    "_symmetry_space_group_name_h-m",
    "_symmetry_space_group_name_h-m_alt",
)
_NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
_FITS = 0.01  # of the metric: operations that change a cell by more may be of other axes
_FARTHEST = 0.05  # of the metric: cells measured by electrons depart by a degree or so
_EXACT = 1e-3  # of the metric: a smaller change is the rounding of the cell
_WRITE = "write its operations (_space_group_symop_operation_xyz)"


@dataclass(frozen=True, slots=True, eq=False)
class CandidateSetting:
    """A setting that the statements of a file allow.

    Attributes:
        name: What to call it, as one may write it into the file.
        operations: Its operations.
        assumed: What is assumed if it is taken.
    """

    name: str
    operations: Operations
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Statements:
    """What a block says of its symmetry."""

    operations: Operations | None
    hall: str | None
    hall_operations: Operations | None
    names: Sequence[str]
    named: Sequence[list[Setting]]
    number: int | None
    assumed: list[str] = field(default_factory=list)


def candidates_of(block: Block, cell: Float[np.ndarray, "3 3"]) -> list[CandidateSetting]:
    """The settings that a block allows; none where it states no symmetry at all.

    Operations go before a Hall symbol, that before a Hermann–Mauguin symbol, and that before a
    number; what is stated beside them must agree, and all with the cell.

    Args:
        block: The block.
        cell: Cell vectors as rows [Å], (3, 3).

    Raises:
        InputError: Two statements contradict each other, or one the cell, or none is understood.
    """
    stated = _statements(block)
    exact = stated.operations or stated.hall_operations
    found = _by_names(stated, cell) if exact is None else [_exact(stated, exact)]
    for each in found:
        _check_fit(each, cell)
    return [
        CandidateSetting(
            each.name,
            each.operations,
            (
                *stated.assumed,
                *each.assumed,
                *_departure_text(each.operations.misfit(cell)),
            ),
        )
        for each in found
    ]


def _check_fit(candidate: CandidateSetting, cell: Float[np.ndarray, "3 3"]) -> None:
    """Refuse operations of other axes than the cell's; a cell that departs from them is kept.

    Raises:
        InputError: The operations change the cell by far, or fit its axes better in another order.
    """
    misfit = candidate.operations.misfit(cell)
    if misfit <= _FITS:
        return
    best = min(candidate.operations.misfit(cell[list(order)]) for order in permutations(range(3)))
    if misfit > _FARTHEST or best < misfit / 2:
        raise InputError(
            f"the operations of {candidate.name} do not fit the cell, whose metric they change by "
            f"{misfit:.0%}: one of them is of other axes (rhombohedral, hexagonal?), or a length "
            "or an angle is wrong; write both for the same axes"
        )


def _departure_text(misfit: float) -> list[str]:
    if misfit <= _EXACT:
        return []
    by = f"by {misfit:.1%} of the metric"
    return [f"the cell departs from the symmetry, {by}; it is kept as it is written"]


def _statements(block: Block) -> _Statements:
    assumed: list[str] = []
    operations = _operations(block)
    halls = list(dict.fromkeys(value for _, value in block.stated(*_HALL)))
    names = list(dict.fromkeys(value for _, value in block.stated(*_NAMES)))
    numbers = list(dict.fromkeys(_number(name, value) for name, value in block.stated(*_NUMBERS)))
    if len(halls) > 1 or len(numbers) > 1:
        raise InputError(f"two space groups are stated: {(halls if len(halls) > 1 else numbers)}")
    hall = halls[0] if halls else None
    hall_operations = None
    if hall is not None:
        try:
            hall_operations = operations_of_hall(" ".join(hall.split()))
        except InputError as error:
            if operations is None and not names:
                raise InputError(f"{error}; {_WRITE}") from error
            assumed.append(f"{error}, and was left out")
    named = [settings_of_name(name) for name in names]
    for name, settings in zip(names, named, strict=True):
        if not settings and (operations or hall_operations):
            assumed.append(f"the space group's name '{name[:40]}' is not understood, and was left "
                           "out: the operations decide")  # fmt: skip
        elif not settings:
            raise InputError(f"the space group '{name[:40]}' is not in the tables; {_WRITE}")
    return _Statements(operations, hall, hall_operations, names, named,
                       numbers[0] if numbers else None, assumed)  # fmt: skip


def _operations(block: Block) -> Operations | None:
    found = [
        (name, [value for value in block.tags[name] if value is not None])
        for name in _OPERATIONS
        if name in block.tags
    ]
    groups = [operations_from(triplets) for _, triplets in found if triplets]
    if len(groups) > 1 and groups[0].keys != groups[1].keys:
        raise InputError(
            f"{_OPERATIONS[0]} and {_OPERATIONS[1]} list different operations; keep one of them"
        )
    return groups[0] if groups else None


def _number(name: str, text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 1 <= number <= 230:
        raise InputError(f"{name} is '{text[:20]}'; expected a whole number from 1 to 230")
    return number


def _exact(stated: _Statements, operations: Operations) -> CandidateSetting:
    """The operations that are stated, once everything else agrees with them."""
    number, setting = _type_of(operations), setting_of(operations)
    called = setting.symbol if setting else f"a setting of space group {number or '?'}"
    basis = f"the {len(operations)} operations that it lists, of {called}"
    if stated.operations is None:
        basis = f"the Hall symbol '{stated.hall}', of {called}"
    if stated.hall_operations is not None and stated.hall_operations.keys != operations.keys:
        raise InputError(
            f"the Hall symbol '{stated.hall}' contradicts {basis}; correct one of them"
        )
    if stated.number is not None and number not in {None, stated.number}:
        raise InputError(
            f"the space group's number {stated.number} contradicts {basis} (number {number}); "
            "correct one of them"
        )
    assumed = []
    for name, settings in zip(stated.names, stated.named, strict=True):
        if not settings or any(each.operations.keys == operations.keys for each in settings):
            continue
        if number not in {None, *(each.number for each in settings)} or stated.operations is None:
            raise InputError(
                f"the space group's name '{name}' contradicts {basis}; correct one of them"
            )
        assumed.append(
            f"the operations are those of {called}, while the file's name for it is '{name}': the "
            "operations decide"
        )
    return CandidateSetting(called, operations, tuple(assumed))


def _by_names(stated: _Statements, cell: Float[np.ndarray, "3 3"]) -> list[CandidateSetting]:
    """The settings that names, or else the number, allow and that fit the cell."""
    if not stated.names and stated.number is None:
        return []
    said = ", ".join([*(f"'{name}'" for name in stated.names),
                      *([f"number {stated.number}"] if stated.number else [])])  # fmt: skip
    groups = stated.named or [settings_of_number(stated.number or 0)]
    common = [
        setting
        for setting in groups[0]
        if all(any(setting.hall == each.hall for each in others) for others in groups[1:])
        and stated.number in {None, setting.number}
    ]
    if not common:
        raise InputError(f"the statements of the space group, {said}, contradict each other")
    misfits = [each.operations.misfit(cell) for each in common]
    best = min(misfits)
    fitting = [
        each
        for each, misfit in zip(common, misfits, strict=True)
        if misfit <= min(max(2 * best, _EXACT), _FARTHEST)
    ]
    if best > _FARTHEST:
        raise InputError(
            f"the space group {said} does not fit the cell; check its axes and its lengths and "
            "angles"
        )
    assumed = []
    if len(fitting) > 1 and 3 <= fitting[0].number <= 15:
        usual = [each for each in fitting if any(c.startswith(("b", "-b")) for c in each.choices)]
        fitting = usual or fitting
        assumed.append("the unique axis is b, as is usual; the cell would fit others too")
    if not stated.names:
        assumed.append(f"space group {stated.number} is in its standard setting; only its number "
                       "is given")  # fmt: skip
    return [CandidateSetting(each.symbol, each.operations, tuple(assumed)) for each in fitting]


def _type_of(operations: Operations) -> int | None:
    """The number of a space group, in whatever setting it is."""
    setting = setting_of(operations)
    if setting is not None:
        return setting.number
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it reports errors
        try:
            found = spglib.get_spacegroup_type_from_symmetry(
                operations.rotations.astype(np.int32), operations.translations / PARTS
            )
        except Exception:  # its errors are of another type in each version
            found = None
    return None if found is None else int(found.number)
