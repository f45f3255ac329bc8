"""Builds classical systems from their description."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from crystalvision.classical._system import ClassicalSystem
from crystalvision.contracts import (
    Axis,
    Features,
    Target,
    check_dimensions,
    grid_of,
    is_classifier,
)
from crystalvision.errors import InputError
from crystalvision.inputs import Preprocess
from crystalvision.models import ClassicalConfig, listed
from crystalvision.plugins import Catalogue, unwrapped


def build_classical(
    config: ClassicalConfig,
    catalogue: Catalogue,
    *,
    preprocess: Preprocess,
    channels: int,
    targets: Mapping[str, Target],
    seed: int,
) -> ClassicalSystem:
    """Build a classical system that is not fitted yet.

    Args:
        config: Its description.
        catalogue: Where features and estimators are looked up.
        preprocess: Prepares its patterns.
        channels: Channels of the patterns.
        targets: What there is to be learnt, by name; the description chooses one.
        seed: Draws whatever the parts draw.

    Raises:
        InputError: A part or option that does not exist, patterns that a part cannot take, a target
            that there is not, or one that the estimator cannot tell.
        PluginError: A part fails, or lacks what its contract asks for.
    """
    target = _target(config, targets)
    # Two parts of one name must not draw the same numbers.
    seeds = np.random.SeedSequence(seed).generate_state(len(config.features) + 1)
    image_shape = (preprocess.channels(channels), *grid_of(preprocess.axes))
    features: list[Features] = []
    for part, draw in zip(config.features, seeds[1:], strict=True):
        who = f"feature '{part.name}'"
        factory = catalogue.entry("feature", part.name).load()
        check_dimensions(who, unwrapped(factory), preprocess.axes)  # before it sees the shape
        made = catalogue.create(
            "feature",
            part.name,
            part.options,
            image_shape=image_shape,
            centre=beam_centre(preprocess.axes),
            seed=int(draw),
        )
        check_dimensions(who, made, preprocess.axes)
        features.append(made)
    estimator = catalogue.create(
        "estimator", config.estimator.name, config.estimator.options, seed=int(seeds[0])
    )
    classifies = is_classifier(estimator)
    if classifies is not bool(target.classes):
        what = "tells classes apart" if classifies else "tells real values"
        fitting = {each.name: each for each in targets.values() if bool(each.classes) is classifies}
        raise InputError(
            f"estimator '{config.estimator.name}' {what}, and '{target.name}' "
            f"{'is a real value' if classifies else 'has classes'}; targets that fit: "
            f"{listed(fitting)}"
        )
    names = [part.name for part in config.features]
    return ClassicalSystem(
        names,
        features,
        config.estimator.name,
        estimator,
        target=target,
        image_shape=image_shape,
    )


def _target(config: ClassicalConfig, targets: Mapping[str, Target]) -> Target:
    target = targets.get(config.target)
    if target is None or target.shape:
        raise InputError(
            f"the system is to tell '{config.target}'; expected one of the dataset's targets that "
            f"is one class or one number: "
            f"{listed({name: each for name, each in targets.items() if not each.shape})}"
        )
    return target


def beam_centre(axes: Sequence[Axis]) -> tuple[float, ...]:
    """Where the direct beam lies in patterns, along each axis [points].

    It is where all axes have their zero, or the middle of the pattern where that lies outside.

    Args:
        axes: Of the prepared patterns.
    """
    # Rounding of the axes must not move a pixel that lies on the edge of a ring.
    places = tuple(round(-axis.offset / axis.scale, 9) for axis in axes)
    inside = all(
        math.isfinite(place) and -0.5 <= place <= axis.size - 0.5
        for place, axis in zip(places, axes, strict=True)
    )
    return places if inside else tuple((axis.size - 1) / 2 for axis in axes)
