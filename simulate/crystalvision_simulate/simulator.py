"""Makes the samples of a recipe, each from nothing but its index."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from crystalvision.contracts import Beam, Crystal, Measure
from crystalvision.cores import usable_processors
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import Sample
from crystalvision_simulate.cost import check_memory, estimate_cost
from crystalvision_simulate.crystals import Box, Crystals, Cut
from crystalvision_simulate.defects_of_classes import Defects
from crystalvision_simulate.numbers import (
    CONFIGURATIONS,
    Number,
    check_columns,
    draw,
    numbers_of_part,
    numbers_of_recipe,
    numbers_of_settings,
    stream_of,
)
from crystalvision_simulate.recipes import Quantity, Recipe
from crystalvision_simulate.scene_recorder import SceneRecorder
from crystalvision_simulate.scenes import Scene
from crystalvision_simulate.specimens_of_samples import ShownSpecimen, SpecimensOfSamples
from crystalvision_simulate.targets_of_samples import TargetsOfSamples

_STRUCTURE = "structure"
_ZONE_AXIS = {
    "zone_axis_u": "first index of the direction [uvw] along the beam",
    "zone_axis_v": "second index of the direction along the beam",
    "zone_axis_w": "third index of the direction along the beam",
}


class Simulator(SceneRecorder):
    """Makes the samples of a recipe, each from `SeedSequence([seed, index])` alone.

    A sample does not depend on which others are made, nor where or in which order. On a CPU it is
    the same bit for bit if torch runs on one thread (`torch.set_num_threads(1)`).

    A sample is made in three steps, so that each can be done where it is quickest: `scene` on a CPU
    core, `render` on the device, in batches, `expose` on a CPU core again.

    Attributes:
        recipe: The recipe.
        crystals: Makes its crystals.
        defects: Puts the defects of each class into them.
        renderer: Its renderer, for each draw of its numbers.
        instrument: Its instrument, likewise.
        numbers: Every number that is drawn, or kept, alike for all classes.
        cost: What making all of it takes, about; of the images, nothing yet.
        nuisance: Columns of what is drawn alike for every class: all but what is fixed at zero.
        columns: What is known of every sample beside its label and severity.
        specimens: Which specimen each sample shows.
        targets: What else samples can be recognised as.
    """

    def __init__(
        self,
        recipe: Recipe,
        catalogue: Catalogue,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Make everything that samples share, and check every part of the recipe.

        Args:
            recipe: The recipe.
            catalogue: Where its parts are looked up.
            device: Where to render; the CPU by default.
            dtype: `torch.float32`, or `torch.float64` for reference results.

        Raises:
            InputError: A part is unknown, or an option has a value, or can draw one, that the part
                refuses, or the instrument cannot record what the renderer gives.
        """
        super().__init__(recipe, catalogue, device=device, dtype=dtype)
        self.crystals = Crystals(recipe, catalogue, self._check_cost)
        self.defects = Defects(recipe, catalogue)
        specimen, beam = recipe.specimen, recipe.beam
        self.numbers: tuple[Number, ...] = (
            *numbers_of_settings("specimen", specimen, specimen.option_columns),
            *numbers_of_settings("beam", beam, beam.option_columns),
            *numbers_of_part("renderer", self.renderer),
            *numbers_of_part("instrument", self.instrument),
            *numbers_of_recipe(recipe),
        )
        nuisance = self._nuisance()
        self.nuisance = tuple(one.name for one in nuisance)
        check_columns([*nuisance, *self.defects.measures.values()])
        measures = {one.name: one for one in nuisance} | self.defects.measures
        self.columns: Mapping[str, Measure] = measures
        self.specimens = SpecimensOfSamples(recipe, self.crystals.drawn)
        self.targets = TargetsOfSamples(recipe, catalogue, self.instrument)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """What each of `numbers` is drawn from, by column."""
        return {one.column.name: one.quantity for one in self.numbers}

    def _nuisance(self) -> list[Measure]:
        """What is kept of all that is drawn alike for every class."""
        kept = [] if len(self.crystals.structures) < 2 else [self._structure_column()]
        if len(self.crystals.zone_axes) > 1:
            kept += [Measure(name, "1", meaning) for name, meaning in _ZONE_AXIS.items()]
        kept += [one.column for one in self.numbers if any(one.quantity.ends)]
        return kept + list({one.name: one for one in self.crystals.columns.values()}.values())

    def _structure_column(self) -> Measure:
        names = [part.name for part in self.crystals.structures]
        meaning = ", ".join(f"{index}: {part}" for index, part in enumerate(names))
        return Measure(_STRUCTURE, "1", meaning)

    def _check_cost(self, unit_cells: Sequence[Crystal]) -> None:
        """Work out the cost before anything is cut.

        Raises:
            InputError: It does not fit into memory.
        """
        self.cost = estimate_cost(
            self.recipe,
            self.renderer.extremes,
            self.instrument.extremes,
            atoms_per_angstrom3=max(len(one) / one.volume_angstrom3 for one in unit_cells),
            elements=max(len(np.unique(one.numbers)) for one in unit_cells),
            cores=usable_processors(),
        )
        if self.device.type == "cpu":
            check_memory(self.recipe, self.cost)

    def label(self, index: int) -> int:
        """The class of a sample."""
        return self.specimens.label(index)

    def first_of_each_class(self) -> list[int]:
        """Index of the first sample of every class that has one."""
        return self.specimens.first_of_each_class()

    def sample(self, index: int) -> Sample:
        """Make one sample.

        Raises:
            InputError: The index is none of the recipe's, a defect makes no sense in the crystal,
                or the instrument reaches beyond the renderer's band.
        """
        return self.expose(self.render([self.scene(index)]))[0]

    def scene(self, index: int) -> Scene:
        """What the beam meets in one sample.

        Raises:
            InputError: The index is none of the recipe's, or a defect makes no sense in the
                crystal.
        """
        if not 0 <= index < self.recipe.samples:
            raise InputError(
                f"sample {index} is none of this recipe's; expected 0 to {self.recipe.samples - 1}"
            )
        root = np.random.SeedSequence([self.recipe.seed, index])
        seeds = root.spawn(3)
        nuisance_rng, defect_rng = map(np.random.default_rng, seeds[:2])
        shown = self.specimens.of(index)
        if self.specimens.several:
            cut = self.crystals.cut_of_specimen(shown.label, shown.place, shown.seeds)
        else:
            cut = self.crystals.draw_cut(shown.label, nuisance_rng, root)
        drawn = self.draw_nuisance(nuisance_rng, root)
        return self.scene_of(
            shown.label, cut, drawn, defect_rng, exposure_seed=seeds[2], shown=shown
        )

    def draw_nuisance(
        self, rng: np.random.Generator, seeds: np.random.SeedSequence
    ) -> dict[str, float]:
        """A value for each of `numbers`, by column: see `crystalvision_simulate.numbers.draw`."""
        return draw(self.numbers, rng, seeds)

    def scene_of(
        self,
        label: int,
        cut: Cut,
        nuisance: Mapping[str, float],
        defect_rng: np.random.Generator,
        *,
        exposure_seed: np.random.SeedSequence,
        shown: ShownSpecimen | None = None,
    ) -> Scene:
        """A specimen of a class as the beam meets it.

        Args:
            label: The class.
            cut: What the specimen is cut from.
            nuisance: What `draw_nuisance` drew.
            defect_rng: Source of randomness of the defects.
            exposure_seed: Where the randomness of the recording comes from.
            shown: Which specimen of the dataset it is; by default none of them.

        Raises:
            InputError: A defect makes no sense in the crystal.
        """
        drawn = dict(nuisance)
        box = self._box(drawn)
        ideal = self.crystals.cut(cut, box)
        drawn["thickness_angstrom"] = float(ideal.cell[2, 2])
        configurations, degree = self.defects.put_in(
            ideal,
            label,
            defect_rng,
            configurations=int(drawn.get(CONFIGURATIONS.name, self.recipe.most_configurations)),
            kind=shown.kind if shown else "",
            degrees=stream_of(shown.seeds, "defects") if shown and self.specimens.several else None,
        )
        known = {_STRUCTURE: cut.structure} | drawn | self.crystals.numbers_of(cut)
        known |= dict(zip(_ZONE_AXIS, cut.zone_axis, strict=True))
        columns: dict[str, float] = {
            "label": label,
            "severity": self.recipe.classes[label].severity,
            **{name: float(known[name]) for name in self.nuisance},
            **dict.fromkeys(self.defects.measures, 0.0),
            **degree,
            **(self.targets.of(shown, cut) if shown else {}),
        }
        return Scene(
            specimens=tuple(self.crystals.specimen(crystal, box) for crystal in configurations),
            beam=_beam(drawn),
            cut=cut,
            box=box,
            drawn=drawn,
            options=self._options(drawn),
            columns=columns,
            exposure_seed=exposure_seed,
        )

    def without_defects(self, scene: Scene) -> Scene:
        """The same scene with the ideal crystal that its specimen was cut from."""
        ideal = self.crystals.cut(scene.cut, scene.box)
        return replace(scene, specimens=(self.crystals.specimen(ideal, scene.box),))

    def _box(self, drawn: Mapping[str, float]) -> Box:
        specimen = self.recipe.specimen
        own = {one.option: drawn[one.column.name] for one in self.numbers if one.part == "specimen"}
        fixed = specimen.aperture_diameter_angstrom
        return Box(
            thickness_angstrom=own["thickness_angstrom"],
            width_angstrom=own.get("width_angstrom", specimen.width_angstrom.ends[0]),
            aperture_diameter_angstrom=None
            if fixed is None
            else own.get("aperture_diameter_angstrom", fixed.ends[0]),
        )

    def _options(self, drawn: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """What was drawn for parts, by part and option."""
        options: dict[str, dict[str, float]] = defaultdict(dict)
        for one in self.numbers:
            if one.quantity.varies:
                options[one.part][one.option] = drawn[one.column.name]
        return dict(options)


def _beam(drawn: Mapping[str, float]) -> Beam:
    azimuth = np.deg2rad(drawn["mistilt_azimuth_deg"])
    return Beam(
        energy_kev=drawn["energy_kev"],
        mistilt_x_mrad=drawn["mistilt_mrad"] * float(np.cos(azimuth)),
        mistilt_y_mrad=drawn["mistilt_mrad"] * float(np.sin(azimuth)),
    )
