"""What a figure shows of one sample: its crystal, its patterns, and what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Aperture, Crystal, CrystalFacts, Parent, Specimen
from crystalvision.sources import Sample
from crystalvision_simulate.crystals import Cut
from crystalvision_simulate.detector import illuminated_area_angstrom2
from crystalvision_simulate.pictures._compare import Comparison, compare
from crystalvision_simulate.pictures._labels import Label, choose_labels
from crystalvision_simulate.pictures._place import Calibration
from crystalvision_simulate.pictures._reflections import Reflections, reflections
from crystalvision_simulate.pictures._words import bracketed, details_of
from crystalvision_simulate.scattering import (
    electron_wavelength_angstrom,
    x_ray_wavelength_angstrom,
)
from crystalvision_simulate.simulator import Projection, Scene, Simulator

_CELLS = 3.2  # of an ideal crystal, side by side, across its picture
_NARROWEST, _WIDEST = 12.0, 40.0  # Å

Unit = Literal["fraction", "counts", "image"]


@dataclass(frozen=True, slots=True, eq=False)
class PatternView:
    """One pattern.

    Attributes:
        title: What it is.
        image: The pattern, (c, h, w).
        unit: A `fraction` of the beam in each pixel, `counts` of a detector, or an `image` on the
            renderer's own scale.
        calibration: Its axes.
        labels: Indices on its spots.
        dark_radius: |q| about the direct beam that does not decide how bright the picture is [1/Å].
    """

    title: str
    image: Float[np.ndarray, "c h w"]
    unit: Unit
    calibration: Calibration
    labels: Sequence[Label] = ()
    dark_radius: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class CrystalView:
    """The crystal of one sample.

    Attributes:
        parent: The ideal crystal that it was cut from.
        zone_axis: The direction [uvw] along the beam.
        specimen: Its atoms.
        comparison: The same beside the ideal sites.
        rotation_deg: Rotation of the crystal about the beam, as the pattern is turned [°].
        window_angstrom: Diameter of what is shown [Å].
    """

    parent: Parent
    zone_axis: tuple[int, int, int]
    specimen: Specimen
    comparison: Comparison
    rotation_deg: float
    window_angstrom: float

    @property
    def aperture(self) -> Aperture | None:
        """The selected-area aperture."""
        return self.specimen.aperture


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One sample.

    Attributes:
        name: Its class, and which sample it is.
        details: How it was taken, and what was measured on its defects.
        crystal: Its crystal, if that could be made.
        patterns: Its patterns, from the ideal to the detected.
        index: Its place in the recipe or the dataset.
        columns: All that is known of it, by name.
        note: What else the reader should know.
        structure: What its ideal crystal is, if that is known.
    """

    name: str
    details: str
    crystal: CrystalView | None
    patterns: tuple[PatternView, ...]
    index: int
    columns: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    structure: CrystalFacts | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """One sample, made from its recipe.

    Attributes:
        index: Its place in the recipe.
        scene: What the beam meets.
        cut: What it was cut from.
        ideal: The same without defects.
        perfect: The pattern of the ideal crystal.
        projection: The pattern.
        image: What a dataset holds of it, (c, h, w).
    """

    index: int
    scene: Scene
    cut: Cut
    ideal: Crystal
    perfect: Projection
    projection: Projection
    image: np.ndarray[Any, Any]


def make(simulator: Simulator, index: int) -> Made:
    """Make one sample of a recipe, and its pattern without defects.

    Raises:
        InputError: The index is none of the recipe's, a defect makes no sense in the crystal, or
            the camera reaches beyond the renderer's band.
    """
    scene = simulator.scene(index)
    cut = _cut_of(simulator, scene)
    ideal = simulator.crystals.cut(cut, scene.drawn["thickness_angstrom"])
    without = replace(scene, specimens=(simulator.crystals.specimen(ideal),))
    # One by one: a sample must not depend on what it is rendered with.
    (perfect,) = simulator.render([without])
    (projection,) = simulator.render([scene])
    (sample,) = simulator.expose([projection])
    return Made(index, scene, cut, ideal, perfect, projection, sample.image)


def view_of(
    simulator: Simulator, made: Made, *, window_angstrom: float | None, ideal_only: bool
) -> View:
    """What to show of a sample that was made.

    Args:
        simulator: Made it.
        made: The sample.
        window_angstrom: Diameter of the part of the crystal to show, at most [Å]; by default that
            of the aperture, or 40 Å, or a few unit cells of an ideal crystal.
        ideal_only: Show a crystal without defects, and its pattern only once.
    """
    name = simulator.recipe.classes[simulator.label(made.index)].name
    window = window_angstrom or _window(made, ideal_only=ideal_only)
    return View(
        name=f"along {bracketed(made.cut.zone_axis)}"
        if ideal_only
        else f"{name}, sample {made.index}",
        details=details_of(simulator, made.scene),
        crystal=_crystal_view(made, window),
        patterns=_patterns(simulator, made, ideal_only=ideal_only),
        index=made.index,
        columns=made.scene.columns,
        note=simulator.saturation_note([made.projection], [Sample(made.image, {})]),
        structure=simulator.crystals.facts[made.cut.structure],
    )


def _window(made: Made, *, ideal_only: bool) -> float:
    """Diameter of the part of the crystal to show [Å]."""
    aperture, parent = made.scene.specimens[0].aperture, made.ideal.parent
    if ideal_only and parent is not None:
        edge = float(np.linalg.norm(parent.vectors[:, :2], axis=1).max())
        return float(np.clip(_CELLS * edge, _NARROWEST, _WIDEST))
    return _WIDEST if aperture is None else aperture.diameter_angstrom


def _cut_of(simulator: Simulator, scene: Scene) -> Cut:
    """What a scene was cut from: as its columns say, or the one that there is."""
    crystals, known = simulator.crystals, scene.columns
    axis = crystals.zone_axes[0]
    if "zone_axis_u" in known:
        axis = tuple(int(known[f"zone_axis_{letter}"]) for letter in "uvw")
    return Cut(int(known.get("structure", 0)), axis)


def _crystal_view(made: Made, window_angstrom: float) -> CrystalView | None:
    specimen, parent = made.scene.specimens[0], made.ideal.parent
    if parent is None:
        return None
    return CrystalView(
        parent=parent,
        zone_axis=made.cut.zone_axis,
        specimen=specimen,
        comparison=compare(made.ideal, specimen),
        rotation_deg=made.scene.drawn.get("rotation_deg", 0.0),
        window_angstrom=min(window_angstrom, float(specimen.box_angstrom[:2].min())),
    )


def _patterns(simulator: Simulator, made: Made, *, ideal_only: bool) -> tuple[PatternView, ...]:
    """The patterns of the ideal crystal, of the crystal with defects, and the detected one."""
    scene, recipe = made.scene, simulator.recipe
    one = made.perfect
    calibration = Calibration.of(one.sampling_inv_angstrom, one.direct_beam, scene.drawn)
    images = [each.image.cpu().numpy() for each in (made.perfect, made.projection)]
    found = _reflections(simulator, made, calibration, images[0].shape)
    dark = 0.0
    if found is not None and len(found.hkl):
        dark = 0.6 * float(np.linalg.norm(found.q_inv_angstrom, axis=1).min())
    labels = [] if found is None else choose_labels(images[0][0], found, calibration)
    unit: Unit = "image" if found is None else "fraction"
    title = "ideal crystal" if recipe.detector is None else "ideal crystal, no noise"
    shown = [PatternView(title, images[0], unit, calibration, labels, dark)]
    if ideal_only:
        return tuple(shown)
    title = title.replace("ideal", "this")
    shown.append(PatternView(title, images[1], unit, calibration, (), dark))
    if recipe.detector is not None:
        area = illuminated_area_angstrom2(scene.specimens[0])
        dose = recipe.detector.exposure(scene.drawn, area).dose_electrons
        title = f"detected, {dose:,.0f} electrons"
        shown.append(PatternView(title, made.image, "counts", calibration, (), dark))
    return tuple(shown)


def _reflections(
    simulator: Simulator, made: Made, calibration: Calibration, shape: tuple[int, ...]
) -> Reflections | None:
    """Where spots should be; `None` for images that are no diffraction pattern of this cut."""
    parent, recipe = made.ideal.parent, simulator.recipe
    if shape[0] != 1 or parent is None:
        return None
    energy = made.scene.beam.energy_kev
    x_rays = recipe.renderer.options.get("radiation") == "x-rays"
    left, right, bottom, top = calibration.extent(*shape[1:])
    corner = float(np.hypot(max(-left, right), max(bottom, -top)))
    return reflections(
        parent,
        made.scene.beam,
        wavelength_angstrom=(
            x_ray_wavelength_angstrom(energy) if x_rays else electron_wavelength_angstrom(energy)
        ),
        thickness_angstrom=float(made.ideal.cell[2, 2]),
        reach_inv_angstrom=corner / (1 + calibration.camera_length_error),
    )
