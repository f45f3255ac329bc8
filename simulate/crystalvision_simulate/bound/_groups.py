"""Specimens of every class with the same or nearly the same nuisance, and what each looks like."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import described
from crystalvision.errors import PluginError
from crystalvision_simulate.bound._points import detector_of
from crystalvision_simulate.instruments.area_detector import AreaDetector
from crystalvision_simulate.instruments.detector import expected_electrons, within
from crystalvision_simulate.numbers import draw_nearby
from crystalvision_simulate.scenes import RenderedScene, Scene
from crystalvision_simulate.simulator import Simulator

_STREAM = 0xB0D  # keeps what is drawn here apart from the samples of a dataset of the same seed


@dataclass(frozen=True, slots=True)
class Group:
    """Specimens of every class.

    Attributes:
        nuisance: What was drawn alike for all classes, by name, for each place among the specimens.
        scenes: By class and place. A class without randomness has one scene in all places of one
            nuisance.
        counting: Seeds what electrons are drawn by.
    """

    nuisance: tuple[Mapping[str, float], ...]
    scenes: tuple[tuple[Scene, ...], ...]
    counting: np.random.SeedSequence


def draw_group(
    simulator: Simulator,
    index: int,
    *,
    seed: int,
    specimens: int,
    untold: Collection[str] = (),
    parts: int = 1,
    fixed: Mapping[str, float] | None = None,
) -> Group:
    """Draw one.

    Nuisance and defects come from streams of their own, as in a dataset. What a specimen is cut
    from is drawn from equal streams for all classes, so it is the same where they may be cut from
    the same.

    Args:
        simulator: Makes the scenes.
        index: Which draw; it depends on this and the seed alone.
        seed: Seed of all draws.
        specimens: How many of each class.
        untold: Columns of the nuisance that differ from place to place; by default none does.
        parts: Of their ranges: see `draw_nearby`.
        fixed: Part of the nuisance that is given.

    Raises:
        InputError: A defect makes no sense in the crystal.
    """
    root = np.random.SeedSequence([seed, index], spawn_key=(_STREAM,))
    cutting, drawing, counting, *making = root.spawn(3 + len(simulator.recipe.classes) * specimens)
    shared = simulator.draw_nuisance(np.random.default_rng(drawing), drawing) | dict(fixed or {})
    nuisance = [shared] * specimens
    if untold:
        rng = np.random.default_rng(drawing)
        numbers = [one for one in simulator.numbers if one.column.name in untold]
        drawn = draw_nearby(numbers, rng, parts=parts, count=specimens)
        nuisance = [shared | one for one in drawn]
    scenes: list[tuple[Scene, ...]] = []
    for label in range(len(simulator.recipe.classes)):
        cut = simulator.crystals.draw_cut(label, np.random.default_rng(cutting), cutting)
        made: list[Scene] = []
        for place, own in enumerate(making[label * specimens : (label + 1) * specimens]):
            rng = np.random.default_rng(own)
            scene = simulator.scene_of(label, cut, nuisance[place], rng, exposure_seed=own)
            # A class without randomness need not be rendered more than once.
            again = made and nuisance[place] is nuisance[0] and _alike(scene, made[0])
            made.append(made[0] if again else scene)
        scenes.append(tuple(made))
    return Group(tuple(nuisance), tuple(scenes), counting)


def rates_of(simulator: Simulator, group: Group) -> Float[np.ndarray, "c k p"]:
    """Expected electrons in every pixel that is kept, at a dose of one, (c, k, p), float32.

    The dose is the recipe's, for a pattern or for each Å². What arrives scales with it.

    Raises:
        InputError: The camera reaches beyond the renderer's band.
    """
    distinct = list({id(scene): scene for row in group.scenes for scene in row}.values())
    projections = simulator.render(distinct)
    detectors = [_at_dose_one(detector_of(simulator), one) for one in projections]
    fractions = torch.stack([one.pattern.intensity for one in projections])
    q = AreaDetector.q_inv_angstrom(detectors, fractions)
    exposures = [
        detector.exposure(one.pattern.area_angstrom2)
        for detector, one in zip(detectors, projections, strict=True)
    ]
    images = expected_electrons(fractions, q, exposures).clamp(min=0)
    mask = detectors[0].mask_radius_inv_angstrom
    if mask:
        images = images[..., ~within(q[0], mask)]
    rates = dict(zip(map(id, distinct), images.flatten(1).cpu().numpy(), strict=True))
    return np.stack([np.stack([rates[id(scene)] for scene in row]) for row in group.scenes])


def _at_dose_one(like: AreaDetector, projection: RenderedScene) -> AreaDetector:
    """The detector of a projection, at a dose of one electron, or of one for each Å²."""
    found = projection.instrument
    if not isinstance(found, AreaDetector):  # what the recipe's detector is, it is for all
        raise PluginError(f"expected an AreaDetector as of all samples, found {described(found)}")
    if like.dose_option == "dose_electrons":
        return replace(found, dose_electrons=1.0)
    return replace(found, dose_electrons_per_angstrom2=1.0)


def _alike(one: Scene, other: Scene) -> bool:
    """Whether two scenes hold the same atoms."""
    return all(
        np.array_equal(a.positions, b.positions) and np.array_equal(a.numbers, b.numbers)
        for a, b in zip(one.specimens, other.specimens, strict=True)
    )
