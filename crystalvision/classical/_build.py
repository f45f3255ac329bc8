"""Builds classical systems from their description."""

import math
from collections.abc import Sequence

import numpy as np

from crystalvision.classical._system import ClassicalSystem
from crystalvision.contracts import Axis, Features, check_dimensions, grid_of
from crystalvision.inputs import Preprocess
from crystalvision.models import ClassicalConfig
from crystalvision.plugins import Catalogue, unwrapped


def build_classical(
    config: ClassicalConfig,
    catalogue: Catalogue,
    *,
    preprocess: Preprocess,
    channels: int,
    num_classes: int,
    seed: int,
) -> ClassicalSystem:
    """Build a classical system that is not fitted yet.

    Args:
        config: Its description.
        catalogue: Where features and estimators are looked up.
        preprocess: Prepares its patterns.
        channels: Channels of the patterns.
        num_classes: Classes to tell apart.
        seed: Draws whatever the parts draw.

    Raises:
        InputError: A part or option that does not exist, or patterns that a part cannot take.
        PluginError: A part fails, or lacks what its contract asks for.
    """
    # Two parts of one name must not draw the same numbers.
    seeds = np.random.SeedSequence(seed).generate_state(len(config.features) + 1)
    image_shape = (channels, *grid_of(preprocess.axes))
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
    names = [part.name for part in config.features]
    return ClassicalSystem(
        names,
        features,
        config.estimator.name,
        estimator,
        num_classes=num_classes,
        image_shape=image_shape,
    )


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
