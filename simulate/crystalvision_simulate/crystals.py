"""The crystals of a recipe: what each sample is cut from, and the defects that are put in."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.config import Part
from crystalvision.contracts import (
    Crystal,
    CrystalFacts,
    Measure,
    Specimen,
    described,
)
from crystalvision.errors import InputError, PluginError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.numbers import stream_of
from crystalvision_simulate.parts import DrawnPart
from crystalvision_simulate.recipes import ClassSettings, Recipe, column_of_option
from crystalvision_simulate.specimens import CrystalCutter, SlabCutter, aperture_of, specimen_of

ZoneAxis = tuple[int, int, int]
_CUTTERS = 64  # kept beside those of crystals that do not vary


@dataclass(frozen=True, slots=True)
class Cut:
    """What a sample is cut from.

    Attributes:
        structure: Index into `Crystals.structures`.
        zone_axis: Direction [uvw] along the beam.
        numbers: What was drawn for the structure's options, by name.
    """

    structure: int
    zone_axis: ZoneAxis
    numbers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """The box that a specimen is cut to.

    Attributes:
        thickness_angstrom: Length along the beam [Å].
        width_angstrom: Length across it [Å].
        aperture_diameter_angstrom: Diameter of the selected-area aperture [Å]; `None` for none.
    """

    thickness_angstrom: float
    width_angstrom: float
    aperture_diameter_angstrom: float | None


class Crystals:
    """Makes the ideal crystals of a recipe, and cuts them.

    Attributes:
        structures: Every structure that samples may have, as the recipe gives it.
        drawn: Whether each class has any of them.
        zone_axes: Every zone axis.
        columns: Of what is drawn for the options of structures, by structure and option.
        structure_sha256: What tells the ideal crystals from others.
        facts: What each of `structures` is, and what was assumed when it was read.
    """

    def __init__(
        self,
        recipe: Recipe,
        catalogue: Catalogue,
        check: Callable[[Sequence[Crystal]], object] = lambda _: None,
    ) -> None:
        """Make the ideal crystals, and find how each is cut.

        Args:
            recipe: The recipe.
            catalogue: Where its parts are looked up.
            check: Called with the ideal crystals before any is cut, which may take all memory.

        Raises:
            InputError: A part is unknown, an option has a value, or can draw one, that the part
                refuses, a crystal cannot be cut so, or it is not the one of `structure_sha256`.
        """
        self._recipe = recipe
        self._cuts = [_cuts(recipe, settings) for settings in recipe.classes]
        self.drawn = [bool(cuts) for cuts in self._cuts]
        _check_only(recipe)
        choices = [choice for cuts in self._cuts for choice in cuts]
        self.structures = _unique(part for part, _ in choices)
        self.zone_axes = _unique(axis for _, axis in choices)
        self._drawn = [_drawn(part, catalogue) for part in self.structures]
        unit_cells = [cell for each in self._drawn for cell in each.extremes]
        check(unit_cells)
        self.structure_sha256 = _sha256(unit_cells)
        self._check_structures()
        self.columns: Mapping[tuple[int, str], Measure] = {
            (index, option): column_of_option(each.part.name, option)
            for index, each in enumerate(self._drawn)
            for option in each.quantities
        }
        self._cutter = lru_cache(maxsize=_CUTTERS + len(choices))(self._make_cutter)
        self._check_cuts(choices)

    @cached_property
    def facts(self) -> tuple[CrystalFacts, ...]:
        """What each of `structures` is, and what was assumed when it was read."""
        return tuple(map(_facts, self._drawn))

    def draw_cut(self, label: int, rng: np.random.Generator, seeds: np.random.SeedSequence) -> Cut:
        """What a sample of this class is cut from.

        Args:
            label: The class.
            rng: Draws which; one choice uses no randomness.
            seeds: What the streams of numbers among a structure's options are derived from.
        """
        choices = self._cuts[label]
        index = int(rng.integers(len(choices))) if len(choices) > 1 else 0
        return self._cut(*choices[index], seeds)

    def _cut(self, part: Part, zone_axis: ZoneAxis, seeds: np.random.SeedSequence) -> Cut:
        """A cut of a structure, whose numbers are drawn."""
        place = self.structures.index(part)
        path = f"structure.{part.name}"
        drawn = self._drawn[place].quantities.items()
        numbers = [(name, one.draw(stream_of(seeds, f"{path}.{name}"))) for name, one in drawn]
        return Cut(place, zone_axis, tuple(numbers))

    def cut_of_specimen(self, label: int, place: int, seeds: np.random.SeedSequence) -> Cut:
        """What one of several samples that show one specimen is cut from.

        Its patterns are of one crystal, at one zone axis after the other, in an order of its own.

        Args:
            label: The class.
            place: Which of its patterns it is, from 0.
            seeds: What the streams that all of them share are derived from.
        """
        structures = _unique(part for part, _ in self._cuts[label])
        axes = _unique(axis for _, axis in self._cuts[label])
        part = structures[int(stream_of(seeds, "structure").integers(len(structures)))]
        order = stream_of(seeds, "specimen.zone_axis").permutation(len(axes))
        return self._cut(part, axes[int(order[place % len(axes)])], seeds)

    def numbers_of(self, cut: Cut) -> dict[str, float]:
        """What was drawn for the options of structures, by column; nan for those of others."""
        known = {column.name: float("nan") for column in self.columns.values()}
        for option, value in cut.numbers:
            known[self.columns[cut.structure, option].name] = value
        return known

    def cut(self, cut: Cut, box: Box) -> Crystal:
        """The ideal crystal, cut to the specimen's box."""
        cutter = self._cutter(cut, box.width_angstrom, whole=box.aperture_diameter_angstrom is None)
        return cutter.cut(box.thickness_angstrom)

    def specimen(self, crystal: Crystal, box: Box) -> Specimen:
        """The crystal as the beam meets it."""
        diameter = box.aperture_diameter_angstrom
        aperture = None if diameter is None else aperture_of(diameter, box.width_angstrom)
        return specimen_of(crystal, aperture)

    def _make_cutter(
        self, cut: Cut, width_angstrom: float, *, whole: bool
    ) -> SlabCutter | CrystalCutter:
        cutter = SlabCutter if whole else CrystalCutter
        unit_cell = self._drawn[cut.structure].of(dict(cut.numbers))
        return cutter(unit_cell, zone_axis=cut.zone_axis, width_angstrom=width_angstrom)

    def _check_cuts(self, choices: Sequence[tuple[Part, ZoneAxis]]) -> None:
        """Cut every crystal, at the ends of what is drawn for it, to the smallest box."""
        specimen = self._recipe.specimen
        widths = dict.fromkeys(specimen.width_angstrom.ends)
        diameter = specimen.aperture_diameter_angstrom
        if diameter is not None:
            for width, end in product(widths, diameter.ends):
                aperture_of(end, width)
        thickness = min(specimen.thickness_angstrom.ends)
        for part, zone_axis in _unique(iter(choices)):
            place = self.structures.index(part)
            for numbers in self._drawn[place].corners:
                cut = Cut(place, zone_axis, tuple(numbers.items()))
                for width in widths:
                    self.cut(cut, Box(thickness, width, None if diameter is None else 0.0))

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


def _facts(drawn: DrawnPart[Crystal]) -> CrystalFacts:
    """What a structure is; of one that varies, the first end of it, and what is between."""
    found = [CrystalFacts.of(cell) for cell in drawn.extremes]
    if len(found) == 1:
        return found[0]
    ranges = [f"{name} {_between(value.ends)}" for name, value in drawn.quantities.items()]
    density = _between([one.density_g_cm3 for one in found])
    varies = f"it varies: {', '.join(ranges)}; density {density} g/cm³"
    return found[0].model_copy(update={"varies": varies})


def _between(values: Sequence[float]) -> str:
    return f"{min(values):.4g} to {max(values):.4g}"


def unit_cells_of(part: Part, catalogue: Catalogue) -> list[Crystal]:
    """The ideal crystal of a structure, at every end of what is drawn for its options.

    Raises:
        InputError: There is no such structure, or it refuses an option.
    """
    return _drawn(part, catalogue).extremes


def _drawn(part: Part, catalogue: Catalogue) -> DrawnPart[Crystal]:
    """A structure, made at the ends of its distributions."""

    def create(options: Mapping[str, Any]) -> Crystal:
        return _unit_cell(part.name, options, catalogue)

    return DrawnPart(part, create, f"structure {part.name}")


def _cuts(recipe: Recipe, settings: ClassSettings) -> list[tuple[Part, ZoneAxis]]:
    """What samples of a class may be cut from."""
    structures = [
        part
        for part in settings.structure or recipe.structure or ()
        if not recipe.only or part.name in recipe.only
    ]
    zone_axes = settings.zone_axis or recipe.specimen.zone_axis
    return list(product(structures, zone_axes))


def _check_only(recipe: Recipe) -> None:
    """Check that crystals are left, and that the recipe has all that it names.

    Raises:
        InputError: It has not.
    """
    known = [*(recipe.structure or ()), *_of_classes(recipe)]
    names = list(dict.fromkeys(part.name for part in known))
    for name in recipe.only:
        if name not in names:
            raise InputError(
                f"only: '{name}' is no crystal of recipe '{recipe.name}'; it has {', '.join(names)}"
            )


def _of_classes(recipe: Recipe) -> list[Part]:
    return [part for settings in recipe.classes for part in settings.structure or ()]


def _unique(values: Iterator[Any]) -> list[Any]:
    """The values without repetitions, in order; a part cannot be hashed."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _unit_cell(name: str, options: Mapping[str, Any], catalogue: Catalogue) -> Crystal:
    """A crystal that a plugin gives.

    Raises:
        InputError: There is no such structure, or it refuses an option.
        PluginError: It gives something else.
    """
    if not catalogue.has("structure", name) and Path(name).is_file():
        raise InputError(
            f"structure: '{name}' is a file, where the name of a structure is expected; "
            f"write {{name: file, path: {name}}}"
        )
    made: object = catalogue.create("structure", name, options)
    if not isinstance(made, Crystal):
        entry = catalogue.entry("structure", name)
        raise PluginError(f"{entry} of {entry.plugin} gave {described(made)}; expected a Crystal")
    return made


def _sha256(crystals: Sequence[Crystal]) -> str:
    """What tells ideal crystals apart, so that a changed CIF file is noticed."""
    digest = hashlib.sha256()
    for crystal in crystals:
        for array in (crystal.positions.round(9), crystal.numbers, crystal.cell.round(9)):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
