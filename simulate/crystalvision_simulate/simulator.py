"""Makes one sample of a recipe from nothing but its index."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt16

from crystalvision.config import Part
from crystalvision.contracts import Beam, Crystal, Defect, Specimen
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.defects._degree import combine
from crystalvision_simulate.detector import (
    BeamStop,
    Camera,
    CameraPose,
    Exposure,
    expose,
    project,
)
from crystalvision_simulate.recipes import ClassSettings, Quantity, Recipe
from crystalvision_simulate.recipes.shares import class_of_samples
from crystalvision_simulate.specimens import SlabCutter, specimen_of

NUISANCE_COLUMNS = (
    "thickness_angstrom",
    "energy_kev",
    "mistilt_mrad",
    "mistilt_azimuth_deg",
    "rotation_deg",
    "centre_offset_x_px",
    "centre_offset_y_px",
    "camera_length_error",
    "dose_electrons",
    "point_spread_px",
)
"""What is drawn alike for every class, in the order in which it is drawn."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One pattern with all that is known of it.

    Attributes:
        image: Counts, (c, h, w).
        columns: Label, severity, nuisance, and the measured degree of every defect.
    """

    image: UInt16[np.ndarray, "c h w"]
    columns: Mapping[str, float]


class Simulator:
    """Makes the samples of a recipe, each from `SeedSequence([seed, index])` alone.

    A sample does not depend on which others are made, nor where or in which order. On a CPU it is
    the same bit for bit if torch runs on one thread (`torch.set_num_threads(1)`).
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
        self._catalogue = catalogue
        self._device = device or torch.device("cpu")
        self._dtype = dtype
        structure = recipe.structure
        unit_cell = catalogue.create("structure", structure.name, structure.options)
        self.structure_sha256 = _fingerprint(unit_cell)
        if recipe.structure_sha256 not in {None, self.structure_sha256}:
            raise InputError(
                f"structure '{structure.name}' is not the crystal that the recipe was written for: "
                f"structure_sha256 is {self.structure_sha256[:12]}…, expected "
                f"{str(recipe.structure_sha256)[:12]}…; restore the crystal, or leave the key out"
            )
        self._cutter = SlabCutter(
            unit_cell,
            zone_axis=recipe.specimen.zone_axis,
            width_angstrom=recipe.specimen.width_angstrom,
        )
        self._cutter.cut(min(recipe.specimen.thickness_angstrom.ends))
        renderer = recipe.renderer
        self._renderer = catalogue.create("renderer", renderer.name, renderer.options)
        self._camera = Camera(recipe.camera.pixels, recipe.camera.pixel_size_inv_angstrom)
        self.measures = self._check_defects()
        self._labels = class_of_samples(
            [settings.share for settings in recipe.classes], recipe.samples
        )

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
        if not 0 <= index < self.recipe.samples:
            raise InputError(
                f"sample {index} is none of this recipe's; expected 0 to {self.recipe.samples - 1}"
            )
        seeds = np.random.SeedSequence([self.recipe.seed, index]).spawn(3)
        nuisance_rng, defect_rng, detector_rng = map(np.random.default_rng, seeds)
        label = self.label(index)
        nuisance = self._draw_nuisance(nuisance_rng)
        slab = self._cutter.cut(nuisance["thickness_angstrom"])
        nuisance["thickness_angstrom"] = float(slab.cell[2, 2])
        specimens, degree = self._specimens(slab, self.recipe.classes[label], defect_rng)
        image = self._expose(specimens, nuisance, detector_rng)
        columns: dict[str, float] = {
            "label": label,
            "severity": self.recipe.classes[label].severity,
            **nuisance,
            **dict.fromkeys(self.measures, 0.0),
            **degree,
        }
        return Sample(image, columns)

    def _draw_nuisance(self, rng: np.random.Generator) -> dict[str, float]:
        recipe = self.recipe
        groups = (recipe.specimen, recipe.beam, recipe.camera, recipe.detector)
        quantities: dict[str, Quantity] = {
            name: getattr(group, name)
            for name, group in product(NUISANCE_COLUMNS, groups)
            if name in type(group).model_fields
        }
        return {name: quantity.draw(rng) for name, quantity in quantities.items()}

    def _specimens(
        self, slab: Crystal, settings: ClassSettings, rng: np.random.Generator
    ) -> tuple[list[Specimen], dict[str, float]]:
        """The configurations of one specimen, and the measured degree of its defects."""
        defects = [self._draw_defect(part, rng) for part in settings.defects]
        # The sort is stable: within a stage, defects stay in the recipe's order.
        lasting = sorted(
            (d for d in defects if d.stage != "motion"), key=lambda d: d.stage == "atoms"
        )
        crystal, degree = _apply(lasting, slab, rng)
        dynamic = [defect for defect in defects if defect.stage == "motion"]
        moments = [_apply(dynamic, crystal, rng) for _ in range(self.recipe.configurations)]
        for name in moments[0][1]:
            squares = [moment_degree[name] ** 2 for _, moment_degree in moments]
            mean = float(np.sqrt(np.mean(squares)))
            degree[name] = combine(name, degree[name], mean) if name in degree else mean
        return [specimen_of(moment) for moment, _ in moments], degree

    def _expose(
        self, specimens: list[Specimen], nuisance: Mapping[str, float], rng: np.random.Generator
    ) -> UInt16[np.ndarray, "c h w"]:
        azimuth = np.deg2rad(nuisance["mistilt_azimuth_deg"])
        beam = Beam(
            energy_kev=nuisance["energy_kev"],
            mistilt_x_mrad=nuisance["mistilt_mrad"] * float(np.cos(azimuth)),
            mistilt_y_mrad=nuisance["mistilt_mrad"] * float(np.sin(azimuth)),
        )
        (pattern,) = self._renderer.render(
            [specimens], [beam], device=self._device, dtype=self._dtype
        )
        reach = self.recipe.camera.reach_inv_angstrom
        if reach > pattern.band_limit_inv_angstrom:
            raise InputError(
                f"the camera reaches {reach:.3f} 1/Å, the renderer "
                f"'{self.recipe.renderer.name}' only {pattern.band_limit_inv_angstrom:g} 1/Å: "
                "raise renderer.band_limit_inv_angstrom or make the camera's pixels smaller"
            )
        pose = CameraPose(
            rotation_deg=nuisance["rotation_deg"],
            centre_offset_x_px=nuisance["centre_offset_x_px"],
            centre_offset_y_px=nuisance["centre_offset_y_px"],
            camera_length_error=nuisance["camera_length_error"],
        )
        fraction, q = project(pattern, self._camera, pose)
        exposure = Exposure(
            dose_electrons=nuisance["dose_electrons"],
            point_spread_px=nuisance["point_spread_px"],
            beam_stop=BeamStop(self.recipe.detector.beam_stop_radius_inv_angstrom),
        )
        return expose(fraction, q, rng, exposure)

    def _draw_defect(self, part: Part, rng: np.random.Generator) -> Defect:
        options = {
            name: Quantity.model_validate(value).draw(rng) if Quantity.describes(value) else value
            for name, value in part.options.items()
        }
        return self._catalogue.create("defect", part.name, options)

    def _check_defects(self) -> tuple[str, ...]:
        """Make every defect with every end of its distributions; return what they measure."""
        measures: dict[str, None] = {}
        for settings in self.recipe.classes:
            for part in settings.defects:
                for options in _extremes(f"class {settings.name}, {part.name}", part.options):
                    try:
                        defect = self._catalogue.create("defect", part.name, options)
                    except InputError as error:
                        raise InputError(f"class '{settings.name}': {error}") from error
                    measures.update(dict.fromkeys(defect.measures))
        return tuple(measures)


def _apply(
    defects: Sequence[Defect], crystal: Crystal, rng: np.random.Generator
) -> tuple[Crystal, dict[str, float]]:
    """Apply defects one after the other; return the crystal and what was measured on it."""
    degree: dict[str, float] = {}
    for defect in defects:
        result = defect.apply(crystal, rng)
        crystal = result.crystal
        for name, value in result.degree.items():
            degree[name] = combine(name, degree[name], value) if name in degree else value
    return crystal, degree


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


def _fingerprint(crystal: Crystal) -> str:
    """What tells two ideal crystals apart, so that a changed CIF file is noticed."""
    digest = hashlib.sha256()
    for array in (crystal.positions.round(9), crystal.numbers, crystal.cell.round(9)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
