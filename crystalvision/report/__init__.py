"""One self-contained HTML page about trained systems and the data they were judged on."""

from crystalvision.report._page import OnStep, render, steps
from crystalvision.report._results import Result, load_results
from crystalvision.report._table import Row, row_of, same_data
from crystalvision.report._write import check_output, write_page

__all__ = [
    "OnStep",
    "Result",
    "Row",
    "check_output",
    "load_results",
    "render",
    "row_of",
    "same_data",
    "steps",
    "write_page",
]
