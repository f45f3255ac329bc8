"""What passes between the steps of a simulation: scenes, and what is rendered of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crystalvision.contracts import Axis, Beam, Instrument, Pattern, Specimen
from crystalvision_simulate.crystals import Box, Cut


@dataclass(frozen=True, slots=True)
class Scene:
    """What the beam meets in one sample, before anything is rendered.

    Attributes:
        specimens: The configurations of the specimen.
        beam: The beam.
        cut: What the specimen was cut from.
        box: The box that it was cut to.
        drawn: Every number that was drawn alike for all classes, by column.
        options: What was drawn for the renderer and the instrument, by part and option.
        columns: What a dataset keeps of the sample.
        exposure_seed: Where the randomness of the recording comes from.
    """

    specimens: tuple[Specimen, ...]
    beam: Beam
    cut: Cut
    box: Box
    drawn: Mapping[str, float]
    options: Mapping[str, Mapping[str, float]]
    columns: Mapping[str, float]
    exposure_seed: np.random.SeedSequence


@dataclass(frozen=True, slots=True)
class RenderedScene:
    """A rendered scene before it is recorded.

    Attributes:
        scene: What was rendered.
        instrument: What will record it.
        rendered: The axes of the renderer's pattern.
        pattern: The pattern as it falls on the instrument, on the device.
    """

    scene: Scene
    instrument: Instrument
    rendered: tuple[Axis, ...]
    pattern: Pattern
