"""The defects of a recipe: drawn, put in, and measured."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from crystalvision.config import Part
from crystalvision.contracts import (
    Crystal,
    Defect,
    DefectiveCrystal,
    Measure,
    described,
    origin_of,
)
from crystalvision.errors import InputError, PluginError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.parts import corners_of, quantities_of
from crystalvision_simulate.recipes import Recipe, column_of_option


class Defects:
    """Puts the defects of each class, and those of a kind beside them, into crystals.

    Attributes:
        measures: What the defects measure, by column; of one that measures nothing, what is drawn
            for its options.
    """

    def __init__(self, recipe: Recipe, catalogue: Catalogue) -> None:
        """Make every defect once with every end of its distributions.

        Raises:
            InputError: A part is unknown, an option has a value, or can draw one, that it refuses,
                or two defects of a class measure what cannot be combined.
        """
        self._recipe = recipe
        self._catalogue = catalogue
        self.measures: dict[str, Measure] = {}
        for settings in recipe.classes:
            kinds = recipe.kinds_of(settings) or {"": ()}
            for parts in kinds.values():
                self._check(settings.name, (*parts, *settings.defects))

    def put_in(
        self,
        ideal: Crystal,
        label: int,
        rng: np.random.Generator,
        *,
        configurations: int = 1,
        kind: str = "",
        degrees: np.random.Generator | None = None,
    ) -> tuple[list[Crystal], dict[str, float]]:
        """The crystal with the defects of a class, once for each configuration.

        Args:
            ideal: The crystal.
            label: The class.
            rng: Draws all that is random about them, but for
            degrees: what draws numbers among their options; by default `rng` does.
            configurations: How many.
            kind: The kind of defects that it has beside those of its class; empty for none.

        Returns:
            The configurations, and the measured degree of the defects.

        Raises:
            InputError: A defect makes no sense in the crystal.
        """
        degree: dict[str, float] = {}
        settings = self._recipe.classes[label]
        parts = (*(self._recipe.kinds_of(settings)[kind] if kind else ()), *settings.defects)
        defects = [self._draw(part, degrees or rng, degree) for part in parts]
        # The sort is stable: within a stage, defects stay in the recipe's order.
        lasting = [defect for defect in defects if defect.stage != "motion"]
        lasting.sort(key=lambda defect: defect.stage == "atoms")
        crystal, measured = self._apply(lasting, ideal, rng)
        degree |= measured
        moving = [defect for defect in defects if defect.stage == "motion"]
        # Without motion all snapshots would be the same.
        snapshots = configurations if moving else 1
        moments = [self._apply(moving, crystal, rng) for _ in range(snapshots)]
        for name in moments[0][1]:
            squares = [moment_degree[name] ** 2 for _, moment_degree in moments]
            self._add(degree, name, float(np.sqrt(np.mean(squares))))
        return [moment for moment, _ in moments], degree

    def _draw(self, part: Part, rng: np.random.Generator, degree: dict[str, float]) -> Defect:
        quantities = quantities_of(part.options, part.name)
        drawn = {name: quantity.draw(rng) for name, quantity in quantities.items()}
        defect = self._catalogue.create("defect", part.name, {**part.options, **drawn})
        if not defect.measures:
            degree |= {
                column_of_option(part.name, name).name: value for name, value in drawn.items()
            }
        return defect

    def _apply(
        self, defects: Sequence[Defect], crystal: Crystal, rng: np.random.Generator
    ) -> tuple[Crystal, dict[str, float]]:
        """Apply defects one after the other; return the crystal and what was measured on it."""
        degree: dict[str, float] = {}
        for defect in defects:
            result = _check(defect.apply(crystal, rng), defect)
            crystal = result.crystal
            for name, value in result.degree.items():
                self._add(degree, name, value)
        return crystal, degree

    def _add(self, degree: dict[str, float], name: str, value: float) -> None:
        """Add what a further defect measures."""
        combine = self.measures[name].combine
        if name in degree and combine is not None:
            value = combine(degree[name], value)
        degree[name] = value

    def _check(self, name: str, parts: Sequence[Part]) -> None:
        """Make every defect of a class with every end of its distributions."""
        measured: list[Measure] = []
        for part in parts:
            quantities = quantities_of(part.options, f"class {name}, {part.name}")
            for numbers in corners_of(quantities):
                measures = self._measures(name, part, numbers)
            for one in measures:
                if one.combine is None and one in measured:
                    raise InputError(
                        f"class '{name}': two of its defects measure {one.name}, which "
                        "cannot be combined; leave one out"
                    )
            measured += measures
        self.measures |= {one.name: one for one in measured}

    def _measures(self, name: str, part: Part, numbers: Mapping[str, float]) -> tuple[Measure, ...]:
        """What a defect measures, or what is kept in place of it."""
        options: dict[str, Any] = {**part.options, **numbers}
        try:
            defect = self._catalogue.create("defect", part.name, options)
        except InputError as error:
            raise InputError(f"class '{name}': {error}") from error
        strange = [one for one in defect.measures if not isinstance(one, Measure)]
        if strange:
            raise PluginError(
                f"the {origin_of(defect, 'defect')} measures {strange[0]!r}; expected a Measure "
                "with its name, units and description"
            )
        return tuple(defect.measures) or tuple(
            column_of_option(part.name, option) for option in numbers
        )


def _check(result: object, defect: Defect) -> DefectiveCrystal:
    """Check what a defect returned.

    Raises:
        PluginError: It is no crystal with a defect, one whose atoms are nowhere, or what was
            measured on it is not what the defect measures.
    """
    who = origin_of(defect, "defect")
    if not isinstance(result, DefectiveCrystal):
        raise PluginError(f"the {who} gave {described(result)}; expected a DefectiveCrystal")
    if not isinstance(result.crystal, Crystal):
        raise PluginError(
            f"the {who} gave a DefectiveCrystal of {described(result.crystal)}; expected a Crystal"
        )
    positions = np.asarray(result.crystal.positions)
    if positions.ndim != 2 or positions.shape[1:] != (3,) or not np.isfinite(positions).all():
        raise PluginError(
            f"the {who} gave a crystal whose positions are no finite (n, 3) array of numbers"
        )
    wrong = {name: value for name, value in result.degree.items() if not np.isfinite(value)}
    if wrong:
        name, value = next(iter(wrong.items()))
        raise PluginError(f"the {who} measured {name}={value}; expected a finite number")
    known = [measure.name for measure in defect.measures]
    unknown = [name for name in result.degree if name not in known]
    if unknown:
        raise PluginError(
            f"the {who} measured '{unknown[0]}', which its `measures` does not name; it names "
            f"{', '.join(known) or 'nothing'}"
        )
    return result
