"""Makes the samples of a recipe, each from nothing but its index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.config import Config
from crystalvision.contracts import (
    Beam,
    Crystal,
    Pattern,
    Renderer,
    Specimen,
    check_many,
    check_tensor,
    origin_of,
)
from crystalvision.cores import usable_processors
from crystalvision.errors import InputError, PluginError
from crystalvision.plugins import Catalogue
from crystalvision.sources import Sample
from crystalvision_simulate.cost import check_memory, estimate_cost
from crystalvision_simulate.crystals import Crystals, Cut
from crystalvision_simulate.detector import (
    Camera,
    CameraPose,
    expose_batch,
    illuminated_area_angstrom2,
    project_batch,
    saturation,
    saturation_note,
)
from crystalvision_simulate.recipes import Quantity, Recipe
from crystalvision_simulate.recipes.shares import class_of_samples

_ZONE_AXIS_COLUMNS = ("zone_axis_u", "zone_axis_v", "zone_axis_w")


@dataclass(frozen=True, slots=True)
class Scene:
    """What the beam meets in one sample, before anything is rendered.

    Attributes:
        specimens: The configurations of the specimen.
        beam: The beam.
        drawn: Every number that was drawn alike for all classes.
        columns: What a dataset keeps of the sample.
        exposure_seed: Where the randomness of the exposure comes from.
    """

    specimens: tuple[Specimen, ...]
    beam: Beam
    drawn: Mapping[str, float]
    columns: Mapping[str, float]
    exposure_seed: np.random.SeedSequence


@dataclass(frozen=True, slots=True)
class Projection:
    """A rendered scene before it is exposed.

    Attributes:
        scene: What was rendered.
        image: Fraction of the beam in each pixel, (c, h, w), on the device; the renderer's own
            image where the recipe has no camera.
        q_inv_angstrom: q_y and q_x in the middle of each pixel, (2, h, w); empty without a camera.
        sampling_inv_angstrom: Distance between pixels along q_y and q_x [1/Å].
        direct_beam: Row and column where q = 0 should fall.
    """

    scene: Scene
    image: Float[torch.Tensor, "c h w"]
    q_inv_angstrom: Float[torch.Tensor, "2 h w"]
    sampling_inv_angstrom: tuple[float, float]
    direct_beam: tuple[int, int]


class Simulator:
    """Makes the samples of a recipe, each from `SeedSequence([seed, index])` alone.

    A sample does not depend on which others are made, nor where or in which order. On a CPU it is
    the same bit for bit if torch runs on one thread (`torch.set_num_threads(1)`).

    A sample is made in three steps, so that each can be done where it is quickest: `scene` on a CPU
    core, `render` on the device, in batches, `expose` on a CPU core again.

    Attributes:
        recipe: The recipe.
        crystals: Makes its crystals.
        quantities: Every setting that may be a distribution, by name.
        cost: What making all of it takes, about.
        nuisance: What a dataset keeps of that which is drawn alike for every class: all but what
            is fixed at zero.
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
                refuses.
        """
        self.recipe = recipe
        self.device = device or torch.device("cpu")
        self._dtype = dtype
        renderer = recipe.renderer
        self._renderer: Renderer = catalogue.create("renderer", renderer.name, renderer.options)
        self.crystals = Crystals(recipe, catalogue, self._check_cost)
        if recipe.camera is not None and not getattr(self._renderer, "gives_fractions", True):
            raise InputError(
                f"renderer '{renderer.name}' gives an image of its own, not fractions of the beam "
                "for a camera to see: set camera and detector to null (--set camera=null --set "
                "detector=null)"
            )
        self._groups: list[Config] = [
            group
            for group in (recipe.specimen, recipe.beam, recipe.camera, recipe.detector)
            if group is not None
        ]
        self.quantities: Mapping[str, Quantity] = {
            name: value
            for group in self._groups
            for name in type(group).model_fields
            if isinstance(value := getattr(group, name), Quantity)
        }
        kept = [name for name, value in self.quantities.items() if any(value.ends)]
        self.nuisance = (*self._cut_columns(), *kept)
        self._labels = class_of_samples(
            [settings.share for settings in recipe.classes], recipe.samples
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """What is known of every sample beside its label and severity."""
        return (*self.nuisance, *self.crystals.measures)

    def _check_cost(self, unit_cells: Sequence[Crystal]) -> None:
        """Work out the cost before anything is cut.

        Raises:
            InputError: It does not fit into memory.
        """
        self.cost = estimate_cost(
            self.recipe,
            self._renderer,
            atoms_per_angstrom3=max(len(one) / one.volume_angstrom3 for one in unit_cells),
            elements=max(len(np.unique(one.numbers)) for one in unit_cells),
            cores=usable_processors(),
        )
        if self.device.type == "cpu":
            check_memory(self.recipe, self.cost)

    def label(self, index: int) -> int:
        """The class of a sample."""
        return int(self._labels[index])

    def first_of_each_class(self) -> list[int]:
        """Index of the first sample of every class that has one."""
        return [int(index) for index in np.unique(self._labels, return_index=True)[1]]

    def sample(self, index: int) -> Sample:
        """Make one sample.

        Raises:
            InputError: The index is none of the recipe's, a defect makes no sense in the crystal,
                or the camera reaches beyond the renderer's band.
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
        seeds = np.random.SeedSequence([self.recipe.seed, index]).spawn(3)
        nuisance_rng, defect_rng = map(np.random.default_rng, seeds[:2])
        label = self.label(index)
        cut = self.crystals.draw_cut(label, nuisance_rng)
        drawn = self.draw_nuisance(nuisance_rng)
        return self.scene_of(label, cut, drawn, defect_rng, exposure_seed=seeds[2])

    def draw_nuisance(self, rng: np.random.Generator) -> dict[str, float]:
        """A number for each setting that may be a distribution, drawn alike for every class."""
        return {name: quantity.draw(rng) for name, quantity in self.quantities.items()}

    def scene_of(
        self,
        label: int,
        cut: Cut,
        nuisance: Mapping[str, float],
        defect_rng: np.random.Generator,
        *,
        exposure_seed: np.random.SeedSequence,
    ) -> Scene:
        """A specimen of a class as the beam meets it.

        Args:
            label: The class.
            cut: What the specimen is cut from.
            nuisance: What `draw_nuisance` drew.
            defect_rng: Source of randomness of the defects.
            exposure_seed: Where the randomness of the exposure comes from.

        Raises:
            InputError: A defect makes no sense in the crystal.
        """
        drawn = dict(nuisance)
        ideal = self.crystals.cut(cut, drawn["thickness_angstrom"])
        drawn["thickness_angstrom"] = float(ideal.cell[2, 2])
        configurations, degree = self.crystals.put_in_defects(ideal, label, defect_rng)
        known = {"structure": cut.structure} | drawn
        known |= dict(zip(_ZONE_AXIS_COLUMNS, cut.zone_axis, strict=True))
        columns: dict[str, float] = {
            "label": label,
            "severity": self.recipe.classes[label].severity,
            **{name: float(known[name]) for name in self.nuisance},
            **dict.fromkeys(self.crystals.measures, 0.0),
            **degree,
        }
        specimens = tuple(self.crystals.specimen(crystal) for crystal in configurations)
        return Scene(specimens, _beam(drawn), drawn, columns, exposure_seed)

    def render(self, scenes: Sequence[Scene]) -> list[Projection]:
        """Render scenes together, and project them onto the camera.

        Raises:
            InputError: The camera reaches beyond the renderer's band.
        """
        patterns = self._renderer.render(
            [scene.specimens for scene in scenes],
            [scene.beam for scene in scenes],
            device=self.device,
            dtype=self._dtype,
        )
        self._check_patterns(patterns, len(scenes))
        settings = self.recipe.camera
        if settings is None:
            nowhere = torch.empty((2, 0, 0), device=self.device)
            return [
                Projection(
                    scene,
                    pattern.intensity,
                    nowhere,
                    pattern.sampling_inv_angstrom,
                    pattern.direct_beam,
                )
                for scene, pattern in zip(scenes, patterns, strict=True)
            ]
        self._check_reach(patterns[0], settings.reach_inv_angstrom)
        camera = Camera(settings.pixels, settings.pixel_size_inv_angstrom)
        poses = [_pose(scene.drawn) for scene in scenes]
        images, q = project_batch(patterns, camera, poses)
        side, middle = settings.pixel_size_inv_angstrom, settings.pixels // 2
        return [
            Projection(*parts, (side, side), (middle, middle))
            for parts in zip(scenes, images, q, strict=True)
        ]

    def _check_patterns(self, patterns: object, count: int) -> None:
        """Check what the renderer returned.

        Raises:
            PluginError: It is not one finite pattern for each scene.
        """
        who = f"the {origin_of(self._renderer, 'renderer')}"
        check_many(patterns, who, count, Pattern)
        for pattern in cast("Sequence[Pattern]", patterns):
            check_tensor(
                pattern.intensity, f"{who}, as intensity,", "(c, h, w)", sizes=(None, None, None)
            )
            if not pattern.intensity.isfinite().all():
                raise PluginError(f"{who} gave intensities that are not finite")

    def expose(self, projections: Sequence[Projection]) -> list[Sample]:
        """Count the electrons of rendered scenes, where the recipe has a detector."""
        detector = self.recipe.detector
        if detector is None:
            return [
                Sample(one.image.cpu().numpy().astype(np.float32), one.scene.columns)
                for one in projections
            ]
        areas = [illuminated_area_angstrom2(one.scene.specimens[0]) for one in projections]
        images = expose_batch(
            torch.stack([one.image for one in projections]),
            torch.stack([one.q_inv_angstrom for one in projections]),
            [np.random.default_rng(one.scene.exposure_seed) for one in projections],
            [
                detector.exposure(one.scene.drawn, area)
                for one, area in zip(projections, areas, strict=True)
            ],
        )
        return [
            Sample(image, one.scene.columns) for image, one in zip(images, projections, strict=True)
        ]

    def saturation_note(self, projections: Sequence[Projection], samples: Sequence[Sample]) -> str:
        """What to know of exposures whose pixels are full; empty where none lose counts."""
        detector = self.recipe.detector
        if detector is None:
            return ""
        found = []
        for one, sample in zip(projections, samples, strict=True):
            area = illuminated_area_angstrom2(one.scene.specimens[0])
            exposure = detector.exposure(one.scene.drawn, area)
            found.append(saturation(sample.image, one.image, one.q_inv_angstrom, exposure))
        return saturation_note(found, detector.bit_depth)

    def _cut_columns(self) -> list[str]:
        """What is known of a cut, as far as it varies."""
        names = ["structure"] if len(self.crystals.structures) > 1 else []
        if len(self.crystals.zone_axes) > 1:
            names += _ZONE_AXIS_COLUMNS
        return names

    def _check_reach(self, pattern: Pattern, reach: float) -> None:
        if reach > pattern.band_limit_inv_angstrom:
            raise InputError(
                f"the camera reaches {reach:.3f} 1/Å, the renderer "
                f"'{self.recipe.renderer.name}' only {pattern.band_limit_inv_angstrom:g} 1/Å: "
                "raise renderer.band_limit_inv_angstrom or make the camera's pixels smaller"
            )


def _beam(drawn: Mapping[str, float]) -> Beam:
    azimuth = np.deg2rad(drawn["mistilt_azimuth_deg"])
    return Beam(
        energy_kev=drawn["energy_kev"],
        mistilt_x_mrad=drawn["mistilt_mrad"] * float(np.cos(azimuth)),
        mistilt_y_mrad=drawn["mistilt_mrad"] * float(np.sin(azimuth)),
    )


def _pose(drawn: Mapping[str, float]) -> CameraPose:
    return CameraPose(
        rotation_deg=drawn["rotation_deg"],
        centre_offset_x_px=drawn["centre_offset_x_px"],
        centre_offset_y_px=drawn["centre_offset_y_px"],
        camera_length_error=drawn["camera_length_error"],
    )
