"""Builds classical systems from their description."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from crystalvision.classical._system import ClassicalSystem
from crystalvision.contracts import Target, is_classifier
from crystalvision.errors import InputError
from crystalvision.models import ClassicalConfig, listed
from crystalvision.plugins import Catalogue
from crystalvision.training import Preprocess


def build_classical(
    config: ClassicalConfig,
    catalogue: Catalogue,
    *,
    preprocess: Preprocess,
    image_shape: tuple[int, ...],
    calibration: Sequence[Mapping[str, Any]],
    targets: Mapping[str, Target],
    seed: int,
) -> ClassicalSystem:
    """Build a classical system that is not fitted yet.

    Args:
        config: Its description.
        catalogue: Where features and estimators are looked up.
        preprocess: Prepares its images.
        image_shape: Shape (c, h, w) of the raw patterns.
        calibration: Their axes, rows and columns, each with `scale` and `offset`.
        targets: What there is to be learnt, by name; the description chooses one.
        seed: Draws whatever the parts draw.

    Raises:
        InputError: A part or option that does not exist, images that a part cannot take, a target
            that there is not, or one that the estimator cannot tell.
        PluginError: A part fails, or lacks what its contract asks for.
    """
    target = _target(config, targets)
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
        image_shape=(channels, height, width),
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
