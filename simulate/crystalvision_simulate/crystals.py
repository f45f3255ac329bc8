"""The crystals of a recipe: what each sample is cut from, and the defects that are put in."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.config import Part
from crystalvision.contracts import (
    Aperture,
    Crystal,
    CrystalFacts,
    Defect,
    DefectiveCrystal,
    Specimen,
    described,
    origin_of,
)
from crystalvision.errors import InputError, PluginError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.defects._degree import combine
from crystalvision_simulate.recipes import ClassSettings, Quantity, Recipe
from crystalvision_simulate.specimens import CrystalCutter, SlabCutter, aperture_of, specimen_of

ZoneAxis = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """What a sample is cut from: places in the lists of structures and zone axes of the recipe.

    Attributes:
        structure: Index into `Crystals.structures`.
        zone_axis: Direction [uvw] along the beam.
    """

    structure: int
    zone_axis: ZoneAxis


class Crystals:
    """Makes the crystals of a recipe.

    Attributes:
        structures: Every structure that a class may have, as the recipe gives it.
        zone_axes: Every zone axis.
        measures: What the defects measure.
        aperture: The selected-area aperture, if there is one.
        structure_sha256: What tells the ideal crystals from others.
        facts: What each of `structures` is, and what was assumed when it was read.
    """

    def __init__(
        self,
        recipe: Recipe,
        catalogue: Catalogue,
        check: Callable[[Sequence[Crystal]], object] = lambda _: None,
    ) -> None:
        """Make the ideal crystals, find how each is cut, and make every defect once.

        Args:
            recipe: The recipe.
            catalogue: Where its parts are looked up.
            check: Called with the ideal crystals before any is cut, which may take all memory.

        Raises:
            InputError: A part is unknown, an option has a value, or can draw one, that the part
                refuses, a crystal cannot be cut so, or it is not the one of `structure_sha256`.
        """
        self._recipe = recipe
        self._catalogue = catalogue
        specimen = recipe.specimen
        self._cuts = [_cuts(recipe, settings) for settings in recipe.classes]
        choices = [choice for cuts in self._cuts for choice in cuts]
        self.structures = _unique(part for part, _ in choices)
        self.zone_axes = _unique(axis for _, axis in choices)
        unit_cells = [_unit_cell(part, catalogue) for part in self.structures]
        check(unit_cells)
        self._unit_cells = unit_cells
        self.structure_sha256 = _sha256(unit_cells)
        self._check_structures()
        self.aperture: Aperture | None = None
        if specimen.aperture_diameter_angstrom is not None:
            self.aperture = aperture_of(
                specimen.aperture_diameter_angstrom, specimen.width_angstrom
            )
        cutter = SlabCutter if self.aperture is None else CrystalCutter
        self._cutters = {
            cut: cutter(
                unit_cells[cut.structure],
                zone_axis=cut.zone_axis,
                width_angstrom=specimen.width_angstrom,
            )
            for cut in _unique(self._cut_of(choice) for choice in choices)
        }
        for one in self._cutters.values():
            one.cut(min(specimen.thickness_angstrom.ends))
        self.measures = self._check_defects()

    @cached_property
    def facts(self) -> tuple[CrystalFacts, ...]:
        """What each of `structures` is, and what was assumed when it was read."""
        return tuple(CrystalFacts.of(unit_cell) for unit_cell in self._unit_cells)

    def draw_cut(self, label: int, rng: np.random.Generator) -> Cut:
        """What a sample of this class is cut from. One choice uses no randomness."""
        choices = self._cuts[label]
        index = int(rng.integers(len(choices))) if len(choices) > 1 else 0
        return self._cut_of(choices[index])

    def cut(self, cut: Cut, thickness_angstrom: float) -> Crystal:
        """The ideal crystal, cut to the specimen's box."""
        return self._cutters[cut].cut(thickness_angstrom)

    def put_in_defects(
        self, ideal: Crystal, label: int, rng: np.random.Generator
    ) -> tuple[list[Crystal], dict[str, float]]:
        """The crystal with the defects of a class, once for each configuration.

        Returns:
            The configurations, and the measured degree of the defects.

        Raises:
            InputError: A defect makes no sense in the crystal.
        """
        settings = self._recipe.classes[label]
        defects = [self._draw_defect(part, rng) for part in settings.defects]
        # The sort is stable: within a stage, defects stay in the recipe's order.
        lasting = [defect for defect in defects if defect.stage != "motion"]
        lasting.sort(key=lambda defect: defect.stage == "atoms")
        crystal, degree = _apply(lasting, ideal, rng)
        moving = [defect for defect in defects if defect.stage == "motion"]
        moments = [_apply(moving, crystal, rng) for _ in range(self._recipe.configurations)]
        for name in moments[0][1]:
            squares = [moment_degree[name] ** 2 for _, moment_degree in moments]
            mean = float(np.sqrt(np.mean(squares)))
            degree[name] = combine(name, degree[name], mean) if name in degree else mean
        return [moment for moment, _ in moments], degree

    def specimen(self, crystal: Crystal) -> Specimen:
        """The crystal as the beam meets it."""
        return specimen_of(crystal, self.aperture)

    def _cut_of(self, choice: tuple[Part, ZoneAxis]) -> Cut:
        part, zone_axis = choice
        return Cut(self.structures.index(part), zone_axis)

    def _check_structures(self) -> None:
        expected = self._recipe.structure_sha256
        if expected in {None, self.structure_sha256}:
            return
        names = ", ".join(part.name for part in self.structures)
        raise InputError(
            f"structure '{names}' is not the crystal that the recipe was written for: "
            f"structure_sha256 is {self.structure_sha256[:12]}…, expected {str(expected)[:12]}…; "
            "restore the crystal, or leave the key out"
        )

    def _draw_defect(self, part: Part, rng: np.random.Generator) -> Defect:
        options = {
            name: Quantity.model_validate(value).draw(rng) if Quantity.describes(value) else value
            for name, value in part.options.items()
        }
        return self._catalogue.create("defect", part.name, options)

    def _check_defects(self) -> tuple[str, ...]:
        """Make every defect with every end of its distributions; return what they measure."""
        measures: dict[str, None] = {}
        for settings in self._recipe.classes:
            for part in settings.defects:
                for options in _extremes(f"class {settings.name}, {part.name}", part.options):
                    try:
                        defect = self._catalogue.create("defect", part.name, options)
                    except InputError as error:
                        raise InputError(f"class '{settings.name}': {error}") from error
                    measures.update(dict.fromkeys(defect.measures))
        return tuple(measures)


def _cuts(recipe: Recipe, settings: ClassSettings) -> list[tuple[Part, ZoneAxis]]:
    """What samples of a class may be cut from."""
    structures = settings.structure or recipe.structure or ()
    zone_axes = settings.zone_axis or recipe.specimen.zone_axis
    return list(product(structures, zone_axes))


def _unique(values: Iterator[Any]) -> list[Any]:
    """The values without repetitions, in order; a part cannot be hashed."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _apply(
    defects: Sequence[Defect], crystal: Crystal, rng: np.random.Generator
) -> tuple[Crystal, dict[str, float]]:
    """Apply defects one after the other; return the crystal and what was measured on it."""
    degree: dict[str, float] = {}
    for defect in defects:
        result = defect.apply(crystal, rng)
        _check(result, origin_of(defect, "defect"))
        crystal = result.crystal
        for name, value in result.degree.items():
            degree[name] = combine(name, degree[name], value) if name in degree else value
    return crystal, degree


def _unit_cell(part: Part, catalogue: Catalogue) -> Crystal:
    """A crystal that a plugin gives.

    Raises:
        InputError: There is no such structure, or it refuses an option.
        PluginError: It gives something else.
    """
    if not catalogue.has("structure", part.name) and Path(part.name).is_file():
        raise InputError(
            f"structure: '{part.name}' is a file, where the name of a structure is expected; "
            f"write {{name: file, path: {part.name}}}"
        )
    made: object = catalogue.create("structure", part.name, part.options)
    if not isinstance(made, Crystal):
        entry = catalogue.entry("structure", part.name)
        raise PluginError(f"{entry} of {entry.plugin} gave {described(made)}; expected a Crystal")
    return made


def _check(result: object, who: str) -> None:
    """Check what a defect returned.

    Raises:
        PluginError: It is no crystal with a defect, or one whose atoms are nowhere.
    """
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


def _extremes(where: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options with every distribution at each of its ends."""
    choices = []
    for name, value in options.items():
        if Quantity.describes(value):
            quantity = Quantity.parse(value, f"{where}: {name}")
            choices.append([(name, end) for end in quantity.ends])
        else:
            choices.append([(name, value)])
    return [dict(combination) for combination in product(*choices)]


def _sha256(crystals: Sequence[Crystal]) -> str:
    """What tells ideal crystals apart, so that a changed CIF file is noticed."""
    digest = hashlib.sha256()
    for crystal in crystals:
        for array in (crystal.positions.round(9), crystal.numbers, crystal.cell.round(9)):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
