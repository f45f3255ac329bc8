"""Pictures of samples: the crystal with its defects marked, the ideal pattern, the detected one.

What is shown of a sample, a `View`, is found first; how it is drawn comes after, so that what a
figure says can be checked without reading pixels.
"""

from crystalvision_simulate.pictures._beside import Panel, draw_beside
from crystalvision_simulate.pictures._compare import Comparison, compare
from crystalvision_simulate.pictures._figure import draw_figure
from crystalvision_simulate.pictures._labels import Label, choose_labels
from crystalvision_simulate.pictures._marked import MarkedCrystal, marked_crystal
from crystalvision_simulate.pictures._place import Calibration
from crystalvision_simulate.pictures._reflections import Reflections, reflections
from crystalvision_simulate.pictures._save import FORMATS, check_output, refuse_source, save_figure
from crystalvision_simulate.pictures._show import Choice, views_of
from crystalvision_simulate.pictures._style import colours_of
from crystalvision_simulate.pictures._subject import Query, find_subject
from crystalvision_simulate.pictures._view import (
    CrystalView,
    PatternView,
    SimulatedSample,
    View,
    crystal_view,
    pattern_views,
)

__all__ = [
    "FORMATS",
    "Calibration",
    "Choice",
    "Comparison",
    "CrystalView",
    "Label",
    "MarkedCrystal",
    "Panel",
    "PatternView",
    "Query",
    "Reflections",
    "SimulatedSample",
    "View",
    "check_output",
    "choose_labels",
    "colours_of",
    "compare",
    "crystal_view",
    "draw_beside",
    "draw_figure",
    "find_subject",
    "marked_crystal",
    "pattern_views",
    "reflections",
    "refuse_source",
    "save_figure",
    "views_of",
]
