"""The detector: where on it each electron may fall, and what it counts."""

from crystalvision_simulate.detector._camera import Camera, CameraPose
from crystalvision_simulate.detector._dose import illuminated_area_angstrom2
from crystalvision_simulate.detector._expected import expected_electrons, within
from crystalvision_simulate.detector._expose import expose, expose_batch
from crystalvision_simulate.detector._exposure import BeamStop, Exposure, Inelastic, Readout
from crystalvision_simulate.detector._projection import project, project_batch
from crystalvision_simulate.detector._saturation import saturation, saturation_note

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
    "saturation",
    "saturation_note",
    "within",
]
