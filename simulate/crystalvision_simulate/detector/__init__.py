"""The camera: where on the detector each electron may fall, and how many do."""

from crystalvision_simulate.detector._camera import Camera, CameraPose, project
from crystalvision_simulate.detector._counting import expose

__all__ = ["Camera", "CameraPose", "expose", "project"]
