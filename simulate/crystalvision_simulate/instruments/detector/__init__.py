"""The detector: where on it each electron may fall, and what it counts."""

from crystalvision_simulate.instruments.detector._camera import Camera, CameraPose
from crystalvision_simulate.instruments.detector._dose import illuminated_area_angstrom2
from crystalvision_simulate.instruments.detector._expected import expected_electrons, shadow, within
from crystalvision_simulate.instruments.detector._expose import expose, expose_batch
from crystalvision_simulate.instruments.detector._exposure import (
    BeamStop,
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
    "BeamStop",
    "Camera",
    "CameraPose",
    "Exposure",
    "Inelastic",
    "Readout",
    "expected_electrons",
    "expose",
    "expose_batch",
    "illuminated_area_angstrom2",
    "project",
    "project_batch",
    "q_of_pixels",
    "saturation",
    "saturation_note",
    "shadow",
    "within",
]
