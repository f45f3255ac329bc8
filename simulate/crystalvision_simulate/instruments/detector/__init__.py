"""The detector: where on it each electron may fall, and what it counts."""

from crystalvision_simulate.instruments.detector._blemishes import burnt_in, hot_and_dead
from crystalvision_simulate.instruments.detector._camera import Camera, CameraPose
from crystalvision_simulate.instruments.detector._dose import illuminated_area_angstrom2
from crystalvision_simulate.instruments.detector._expected import expected_electrons, shadow, within
from crystalvision_simulate.instruments.detector._expose import expose, expose_batch
from crystalvision_simulate.instruments.detector._exposure import (
    Amorphous,
    BeamStop,
    Blemishes,
    Exposure,
    Inelastic,
    Readout,
)
from crystalvision_simulate.instruments.detector._projection import (
    project,
    project_batch,
    q_of_pixels,
)
from crystalvision_simulate.instruments.detector._saturation import saturation, saturation_note

__all__ = [
    "Amorphous",
    "BeamStop",
    "Blemishes",
    "Camera",
    "CameraPose",
    "Exposure",
    "Inelastic",
    "Readout",
    "burnt_in",
    "expected_electrons",
    "expose",
    "expose_batch",
    "hot_and_dead",
    "illuminated_area_angstrom2",
    "project",
    "project_batch",
    "q_of_pixels",
    "saturation",
    "saturation_note",
    "shadow",
    "within",
]
