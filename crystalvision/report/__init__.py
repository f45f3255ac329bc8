"""One self-contained HTML page about trained systems and the data they were judged on."""

from crystalvision.report._data import remade_by
from crystalvision.report._feature_map import FeatureMap, MapMethod
from crystalvision.report._map import PatternMap, map_figure, map_patterns
from crystalvision.report._page import OnStep, render, steps
from crystalvision.report._pictures import Picture, data_uri, picture
from crystalvision.report._reproduce import as_yaml, machine
from crystalvision.report._results import Result, load_results
from crystalvision.report._table import (
    MetricColumn,
    Row,
    columns_of,
    row_of,
    same_data,
    system_in_words,
)
from crystalvision.report._template import TEMPLATES, fill, number
from crystalvision.report._write import GENERATOR, check_output, write_page

__all__ = [
    "GENERATOR",
    "TEMPLATES",
    "FeatureMap",
    "MapMethod",
    "MetricColumn",
    "OnStep",
    "PatternMap",
    "Picture",
    "Result",
    "Row",
    "as_yaml",
    "check_output",
    "columns_of",
    "data_uri",
    "fill",
    "load_results",
    "machine",
    "map_figure",
    "map_patterns",
    "number",
    "picture",
    "remade_by",
    "render",
    "row_of",
    "same_data",
    "steps",
    "system_in_words",
    "write_page",
]
