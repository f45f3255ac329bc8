"""What measured patterns tell of the microscope that took them, and its simulated twin."""

from crystalvision_simulate.microscope._analyse import Analysed, analyse
from crystalvision_simulate.microscope._calibrate import Calibrated, calibrate
from crystalvision_simulate.microscope._corrected import write_as_twin, write_corrected
from crystalvision_simulate.microscope._crystal import Lines, lines_of
from crystalvision_simulate.microscope._draw import draw
from crystalvision_simulate.microscope._geometry import Geometry
from crystalvision_simulate.microscope._image import Measured
from crystalvision_simulate.microscope._matches import REACH_INV_ANGSTROM, Known
from crystalvision_simulate.microscope._pictures import count_pictures, read_pictures
from crystalvision_simulate.microscope._twin import twin
from crystalvision_simulate.microscope._words import as_json, facts, yaml_of
from crystalvision_simulate.microscope._zones import zone_axes

__all__ = [
    "REACH_INV_ANGSTROM",
    "Analysed",
    "Calibrated",
    "Geometry",
    "Known",
    "Lines",
    "Measured",
    "analyse",
    "as_json",
    "calibrate",
    "count_pictures",
    "draw",
    "facts",
    "lines_of",
    "read_pictures",
    "twin",
    "write_as_twin",
    "write_corrected",
    "yaml_of",
    "zone_axes",
]
