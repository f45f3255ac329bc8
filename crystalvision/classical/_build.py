"""Builds classical systems from their description."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from crystalvision.classical._system import ClassicalSystem
from crystalvision.models import ClassicalConfig
from crystalvision.plugins import Catalogue
from crystalvision.training import Preprocess


def build_classical(
    config: ClassicalConfig,
    catalogue: Catalogue,
    *,
    preprocess: Preprocess,
    image_shape: tuple[int, int, int],
    calibration: Sequence[Mapping[str, Any]],
    num_classes: int,
    seed: int,
) -> ClassicalSystem:
    """Build a classical system that is not fitted yet.

    Args:
        config: Its description.
        catalogue: Where features and estimators are looked up.
        preprocess: Prepares its images.
        image_shape: Shape (c, h, w) of the raw patterns.
        calibration: Their axes, rows and columns, each with `scale` and `offset`.
        num_classes: Classes to tell apart.
        seed: Draws whatever the parts draw.

    Raises:
        InputError: A part or option that does not exist, or images that a part cannot take.
        PluginError: A part fails, or lacks what its contract asks for.
    """
    channels, *size = image_shape
    height, width = preprocess.check(size[0], size[1])
    centre = beam_centre(calibration, (size[0], size[1]), preprocess.config.bin)
    # Two parts of one name must not draw the same numbers.
    seeds = np.random.SeedSequence(seed).generate_state(len(config.features) + 1)
    features = [
        catalogue.create(
            "feature",
            part.name,
            part.options,
            image_shape=(channels, height, width),
            centre=centre,
            seed=int(draw),
        )
        for part, draw in zip(config.features, seeds[1:], strict=True)
    ]
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
        image_shape=(channels, height, width),
    )


def beam_centre(
    calibration: Sequence[Mapping[str, Any]], size: tuple[int, int], bin_: int
) -> tuple[float, float]:
    """Row and column [pixels] of the direct beam in prepared images.

    It is where the calibration says zero scattering lies, or the middle of the image where it says
    nothing usable or a place outside the image.

    Args:
        calibration: Axes of the raw patterns, rows and columns.
        size: Rows and columns of the raw patterns [pixels].
        bin_: Side of the squares of pixels that become one pixel.
    """
    places = [-float(axis["offset"]) / float(axis["scale"]) for axis in calibration[-2:]]
    inside = len(places) == 2 and all(
        math.isfinite(place) and 0 <= place <= length - 1
        for place, length in zip(places, size, strict=True)
    )
    if not inside:
        places = [(length - 1) / 2 for length in size]
    row, column = ((place + 0.5) / bin_ - 0.5 for place in places)
    return row, column
