"""One self-contained HTML page about trained systems and the data they were judged on."""

from crystalvision.report._again import as_yaml, machine
from crystalvision.report._data import remade_by
from crystalvision.report._figures import (
    bland_altman_picture,
    confusion_picture,
    severity_picture,
)
from crystalvision.report._page import OnStep, render, steps
from crystalvision.report._pictures import Picture, picture
from crystalvision.report._results import Judged, Result, load_results, read_predictions
from crystalvision.report._statistics import roc_curve
from crystalvision.report._table import Row, row_of, same_data, system_in_words
from crystalvision.report._template import TEMPLATES, fill, number
from crystalvision.report._write import GENERATOR, check_output, write_page

__all__ = [
    "GENERATOR",
    "TEMPLATES",
    "Judged",
    "OnStep",
    "Picture",
    "Result",
    "Row",
    "as_yaml",
    "bland_altman_picture",
    "check_output",
    "confusion_picture",
    "fill",
    "load_results",
    "machine",
    "number",
    "picture",
    "read_predictions",
    "remade_by",
    "render",
    "roc_curve",
    "row_of",
    "same_data",
    "severity_picture",
    "steps",
    "system_in_words",
    "write_page",
]
