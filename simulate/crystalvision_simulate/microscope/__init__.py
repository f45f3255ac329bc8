"""What measured patterns tell of the microscope that took them, and its simulated twin."""

from crystalvision_simulate.microscope._analyse import Analysed, analyse
from crystalvision_simulate.microscope._calibrate import Calibrated, calibrate
from crystalvision_simulate.microscope._corrected import write_as_twin, write_corrected
from crystalvision_simulate.microscope._crystal import Lines, lines_of
from crystalvision_simulate.microscope._draw import draw
from crystalvision_simulate.microscope._geometry import Geometry
from crystalvision_simulate.microscope._image import Measured
from crystalvision_simulate.microscope._matches import REACH_INV_ANGSTROM, Known
from crystalvision_simulate.microscope._parted import (
    PICTURES,
    ROUNDS,
    Parted,
    Simulate,
    part_specimen,
)
from crystalvision_simulate.microscope._pictures import count_pictures, read_pictures
from crystalvision_simulate.microscope._twin import DOSE_ERROR, twin
from crystalvision_simulate.microscope._words import as_json, facts, part_facts, yaml_of
from crystalvision_simulate.microscope._zones import zone_axes

__all__ = [
    "DOSE_ERROR",
    "PICTURES",
    "REACH_INV_ANGSTROM",
    "ROUNDS",
    "Analysed",
    "Calibrated",
    "Geometry",
    "Known",
    "Lines",
    "Measured",
    "Parted",
    "Simulate",
    "analyse",
    "as_json",
    "calibrate",
    "count_pictures",
    "draw",
    "facts",
    "lines_of",
    "part_facts",
    "part_specimen",
    "read_pictures",
    "twin",
    "write_as_twin",
    "write_corrected",
    "yaml_of",
    "zone_axes",
]
