"""What a bound is asked for: all patterns of a recipe, or each value of something that it draws."""

import difflib

from crystalvision.errors import InputError
from crystalvision_simulate.recipes import DetectorSettings, Recipe
from crystalvision_simulate.simulator import Simulator

_GROUPS = ("specimen", "beam", "camera", "detector")


def detector_of(recipe: Recipe) -> DetectorSettings:
    """The detector, whose noise is what limits anyone.

    Raises:
        InputError: The recipe has none, or nothing to be told apart.
    """
    if recipe.detector is None:
        raise InputError(
            f"recipe '{recipe.name}' has no detector: its images are without noise, so no dose "
            "limits how well its classes can be told apart; give it a camera and a detector"
        )
    if len(recipe.classes) < 2:
        raise InputError(
            f"recipe '{recipe.name}' has one class, '{recipe.classes[0].name}'; a bound needs two "
            "that can be taken for each other"
        )
    return recipe.detector


def dose_column(detector: DetectorSettings) -> str:
    """The name of the dose in a recipe, which is also its column in a dataset."""
    per_area = detector.dose_electrons is None
    return "dose_electrons_per_angstrom2" if per_area else "dose_electrons"


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
        group = next(name for name in _GROUPS if hasattr(getattr(simulator.recipe, name), column))
        raise InputError(
            f"a bound by '{column}' needs single values, and the recipe draws it from "
            f"{quantity.root}; add --set '{group}.{column}={{choice: [...]}}'"
        )
    return quantity.choices


def _unknown(column: str, simulator: Simulator) -> str:
    known = simulator.quantities
    nearest = difflib.get_close_matches(column, known, n=1)
    hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
    return (
        f"no bound by '{column}': it is none of what the recipe draws alike for all classes{hint} "
        f"({', '.join(known)})"
    )
