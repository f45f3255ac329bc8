"""What measured patterns tell of the microscope that took them, and its simulated twin."""

from crystalvision_simulate.microscope._analyse import Analysed, analyse
from crystalvision_simulate.microscope._calibrate import Calibrated, Known, calibrate
from crystalvision_simulate.microscope._geometry import Geometry
from crystalvision_simulate.microscope._image import Measured

__all__ = ["Analysed", "Calibrated", "Geometry", "Known", "Measured", "analyse", "calibrate"]
