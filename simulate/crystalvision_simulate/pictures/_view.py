"""What a figure shows of one sample: its crystal, its patterns, and what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import (
    Aperture,
    Axis,
    Crystal,
    CrystalFacts,
    Parent,
    Recording,
    Specimen,
)
from crystalvision_simulate.instruments.area_detector import AreaDetector
from crystalvision_simulate.pictures._compare import Comparison, compare
from crystalvision_simulate.pictures._labels import Label, choose_labels
from crystalvision_simulate.pictures._place import Calibration
from crystalvision_simulate.pictures._reflections import Reflections, reflections
from crystalvision_simulate.pictures._words import bracketed, details_of
from crystalvision_simulate.scattering import (
    electron_wavelength_angstrom,
    x_ray_wavelength_angstrom,
)
from crystalvision_simulate.scenes import RenderedScene, Scene
from crystalvision_simulate.simulator import Simulator

_CELLS = 3.2  # of an ideal crystal, side by side, across its picture
_NARROWEST, _WIDEST = 12.0, 40.0  # Å

Unit = Literal["fraction", "counts", "image"]


@dataclass(frozen=True, slots=True, eq=False)
class PatternView:
    """One pattern.

    Attributes:
        title: What it is.
        image: The pattern, (c, n) or (c, h, w).
        axes: Its axes, one or two.
        unit: A `fraction` of the beam in each pixel, `counts` of a detector, or an `image` on the
            renderer's own scale.
        calibration: How the crystal lies on two axes; `None` for one.
        labels: Indices on its spots.
        dark_radius: |q| about the direct beam that does not decide how bright the picture is [1/Å].
    """

    title: str
    image: Float[np.ndarray, "c *grid"]
    axes: tuple[Axis, ...]
    unit: Unit
    calibration: Calibration | None
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
class SimulatedSample:
    """One sample, made from its recipe.

    Attributes:
        index: Its place in the recipe.
        scene: What the beam meets.
        ideal: The same without defects.
        perfect: The pattern of the ideal crystal.
        projection: The pattern.
        recording: What a dataset holds of it.
    """

    index: int
    scene: Scene
    ideal: Crystal
    perfect: RenderedScene
    projection: RenderedScene
    recording: Recording


def make(simulator: Simulator, index: int) -> SimulatedSample:
    """Make one sample of a recipe, and its pattern without defects.

    Raises:
        InputError: The index is none of the recipe's, a defect makes no sense in the crystal, or
            the camera reaches beyond the renderer's band.
    """
    scene = simulator.scene(index)
    ideal = simulator.crystals.cut(scene.cut, scene.box)
    without = simulator.without_defects(scene)
    # One by one: a sample must not depend on what it is rendered with.
    (perfect,) = simulator.render([without])
    (projection,) = simulator.render([scene])
    (recording,) = simulator.record([projection])
    return SimulatedSample(index, scene, ideal, perfect, projection, recording)


def view_of(
    simulator: Simulator, made: SimulatedSample, *, window_angstrom: float | None, ideal_only: bool
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
        name=f"along {bracketed(made.scene.cut.zone_axis)}"
        if ideal_only
        else f"{name}, sample {made.index}",
        details=details_of(simulator, made.scene),
        crystal=crystal_view(made, window),
        patterns=pattern_views(simulator, made, ideal_only=ideal_only),
        index=made.index,
        columns=made.scene.columns,
        note=simulator.note([made.projection], [made.recording]),
        structure=simulator.crystals.facts[made.scene.cut.structure],
    )


def _window(made: SimulatedSample, *, ideal_only: bool) -> float:
    """Diameter of the part of the crystal to show [Å]."""
    aperture, parent = made.scene.specimens[0].aperture, made.ideal.parent
    if ideal_only and parent is not None:
        edge = float(np.linalg.norm(parent.vectors[:, :2], axis=1).max())
        return float(np.clip(_CELLS * edge, _NARROWEST, _WIDEST))
    return _WIDEST if aperture is None else aperture.diameter_angstrom


def crystal_view(made: SimulatedSample, window_angstrom: float) -> CrystalView | None:
    """The crystal of a sample within a window [Å]; `None` where it is cut from no crystal."""
    specimen, parent = made.scene.specimens[0], made.ideal.parent
    if parent is None:
        return None
    return CrystalView(
        parent=parent,
        zone_axis=made.scene.cut.zone_axis,
        specimen=specimen,
        comparison=compare(made.ideal, specimen),
        rotation_deg=made.scene.drawn.get("rotation_deg", 0.0),
        window_angstrom=min(window_angstrom, float(specimen.box_angstrom[:2].min())),
    )


def pattern_views(
    simulator: Simulator, made: SimulatedSample, *, ideal_only: bool = False
) -> tuple[PatternView, ...]:
    """The patterns of the ideal crystal, of the crystal with defects, and the recorded one."""
    images = [each.pattern.intensity.cpu().numpy() for each in (made.perfect, made.projection)]
    plain = pattern_view("", images[0], made.perfect.pattern.axes, "image", made.scene.drawn)
    found = _reflections(simulator, made, plain)
    if found is not None and plain.calibration is not None:
        labels = choose_labels(images[0][0], found, plain.calibration)
        dark = 0.0
        if len(found.hkl):
            dark = 0.6 * float(np.linalg.norm(found.q_inv_angstrom, axis=1).min())
        plain = replace(plain, labels=labels, dark_radius=dark)
    if simulator.renderer.example.quantity == "fraction":
        plain = replace(plain, unit="fraction")
    recorded = not np.array_equal(made.recording.counts, images[1].astype(np.float32))
    title = "ideal crystal, no noise" if recorded else "ideal crystal"
    ideal = replace(plain, title=title)
    if ideal_only:
        return (ideal,)
    shown = [ideal, _like(plain, title.replace("ideal", "this"), images[1], plain.unit)]
    if recorded:
        shown.append(_like(plain, _recorded(made), made.recording.counts, "counts"))
    return tuple(shown)


def pattern_view(
    title: str,
    image: Float[np.ndarray, "c *grid"],
    axes: tuple[Axis, ...],
    unit: Unit,
    drawn: Mapping[str, float] | None = None,
) -> PatternView:
    """A pattern of any number of dimensions; of more than two, the sum along the first ones."""
    further = tuple(range(1, len(axes) - 1))
    if further:
        names = ", ".join(axis.name for axis in axes[:-2])
        image, axes, title = image.sum(axis=further), axes[-2:], f"{title}, summed along {names}"
    calibration = Calibration.of(axes, drawn) if len(axes) == 2 else None
    return PatternView(title, image, axes, unit, calibration)


def _like(
    plain: PatternView, title: str, image: Float[np.ndarray, "c *grid"], unit: Unit
) -> PatternView:
    """A pattern of the same sample, without labels."""
    further = tuple(range(1, image.ndim - 1 - len(plain.axes) + 1))
    image = image.sum(axis=further) if further else image
    return replace(plain, title=title, image=image, unit=unit, labels=())


def _recorded(made: SimulatedSample) -> str:
    instrument = made.projection.instrument
    if not isinstance(instrument, AreaDetector):
        return "recorded"
    dose = instrument.exposure(made.projection.pattern.area_angstrom2).dose_electrons
    return f"detected, {dose:,.0f} electrons"


def _reflections(
    simulator: Simulator, made: SimulatedSample, view: PatternView
) -> Reflections | None:
    """Where spots should be; `None` for what is no diffraction pattern across the beam."""
    parent, recipe, calibration = made.ideal.parent, simulator.recipe, view.calibration
    across = [axis.name for axis in view.axes] == ["q_y", "q_x"]
    if len(view.image) != 1 or parent is None or calibration is None or not across:
        return None
    energy = made.scene.beam.energy_kev
    x_rays = recipe.renderer.options.get("radiation") == "x-rays"
    left, right, bottom, top = calibration.extent(*view.image.shape[1:])
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
