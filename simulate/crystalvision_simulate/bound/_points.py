"""What a bound is asked for: all patterns of a recipe, or each value of something that it draws."""

import difflib
from collections.abc import Sequence

from crystalvision.errors import InputError
from crystalvision_simulate.instruments.area_detector import AreaDetector
from crystalvision_simulate.simulator import Simulator


def detector_of(simulator: Simulator) -> AreaDetector:
    """The detector, whose noise is what limits anyone; one of those that samples may draw.

    Raises:
        InputError: The recipe has none, or nothing to be told apart.
    """
    recipe, detector = simulator.recipe, simulator.instrument.example
    if not isinstance(detector, AreaDetector):
        raise InputError(
            f"recipe '{recipe.name}' has no detector, its instrument is "
            f"'{recipe.instrument.name}': no dose is known that limits how well its classes can be "
            "told apart; give it instrument: area-detector"
        )
    if detector.kind == "ideal":
        raise InputError(
            f"recipe '{recipe.name}' has an ideal detector: its images are without noise, so no "
            "dose limits how well its classes can be told apart (--set instrument.kind=counting)"
        )
    if recipe.defect_kinds:
        raise InputError(
            f"recipe '{recipe.name}' has defect_kinds, which no bound is estimated for yet; give "
            "its classes their defects instead"
        )
    if len(recipe.classes) < 2:
        raise InputError(
            f"recipe '{recipe.name}' has one class, '{recipe.classes[0].name}'; a bound needs two "
            "that can be taken for each other"
        )
    return detector


def values_of(simulator: Simulator, column: str) -> tuple[float | None, ...]:
    """The values of a column that get a bound each; `(None,)` for all patterns together.

    Raises:
        InputError: It is nothing that the recipe draws alike for all classes, or it takes any
            value of a range.
    """
    if not column:
        return (None,)
    quantity = simulator.quantities.get(column)
    if quantity is None:
        raise InputError(_unknown(column, simulator))
    if quantity.choices is None:
        path = next(one.path for one in simulator.numbers if one.column.name == column)
        raise InputError(
            f"a bound by '{column}' needs single values, and the recipe draws it from "
            f"{quantity.root}; add --set '{path}={{choice: [...]}}'"
        )
    return quantity.choices


def untold_of(simulator: Simulator, names: Sequence[str], column: str) -> tuple[str, ...]:
    """The columns that oracles are not told; `all` stands for all that vary and can be hidden.

    Raises:
        InputError: One is nothing that the recipe draws alike for all classes, or anyone can see
            it: the dose, what is masked, and the column that the bound is given by.
    """
    seen = {column} | {
        one.column.name
        for one in simulator.numbers
        if one.part == "instrument"
        and one.option in {detector_of(simulator).dose_option, "mask_radius_inv_angstrom"}
    }
    if tuple(names) == ("all",):
        varying = [name for name, one in simulator.quantities.items() if len(set(one.ends)) > 1]
        return tuple(name for name in varying if name not in seen)
    for name in names:
        if name not in simulator.quantities:
            raise InputError(_unknown(name, simulator))
        if name in seen:
            raise InputError(f"'{name}' cannot be left untold: anyone knows it")
    return tuple(dict.fromkeys(names))


def _unknown(column: str, simulator: Simulator) -> str:
    known = simulator.quantities
    nearest = difflib.get_close_matches(column, known, n=1)
    hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
    return (
        f"no bound by '{column}': it is none of what the recipe draws alike for all classes{hint} "
        f"({', '.join(known)})"
    )
