"""What a benchmark found: one self-contained page, and one table for a paper.

All of it comes from the small files of a benchmark's folder: neither data nor weights are needed.
"""

from collections.abc import Callable
from pathlib import Path

from crystalvision.benchmarks.report._growth import (
    Curve,
    by_curves,
    label_of,
    size_curves,
    size_groups,
)
from crystalvision.benchmarks.report._lines import Difference, Line, Table
from crystalvision.benchmarks.report._load import LoadedBenchmark, load_benchmark, read_rows
from crystalvision.benchmarks.report._markdown import render_markdown
from crystalvision.benchmarks.report._page import render_page
from crystalvision.benchmarks.report._results import Results, find_results
from crystalvision.benchmarks.report._statistics import Estimate, holm
from crystalvision.benchmarks.report._tests import TestCell, TestTable
from crystalvision.plugins import Catalogue
from crystalvision.report import write_page

PAGE = "report.html"
TABLE = "results.md"

__all__ = [
    "PAGE",
    "TABLE",
    "Curve",
    "Difference",
    "Estimate",
    "Line",
    "LoadedBenchmark",
    "Results",
    "Table",
    "TestCell",
    "TestTable",
    "by_curves",
    "find_results",
    "holm",
    "label_of",
    "load_benchmark",
    "page_of",
    "read_rows",
    "size_curves",
    "size_groups",
    "write_report",
]


def write_report(
    folder: Path, catalogue: Catalogue, *, on_step: Callable[[], None] = lambda: None
) -> None:
    """Write `report.html` and `results.md` of a benchmark from the files in its folder.

    The same files give the same page and table, byte for byte.

    Args:
        folder: The benchmark's folder.
        catalogue: What plugins there are; the page says which distributions gave the parts.
        on_step: Called as the work proceeds, a few dozen times.

    Raises:
        InputError: A file is missing, or not what `crystalvision benchmark` writes.
        StorageError: The disk refuses; what was there before stays whole.
    """
    results = find_results(load_benchmark(folder, catalogue))
    write_page(folder / TABLE, render_markdown(results))
    write_page(folder / PAGE, render_page(results, catalogue, on_step))


def page_of(
    folder: Path, catalogue: Catalogue, *, on_step: Callable[[], None] = lambda: None
) -> str:
    """The page of a benchmark, as `write_report` writes it.

    Args:
        folder: The benchmark's folder.
        catalogue: What plugins there are.
        on_step: Called as the work proceeds, a few dozen times.

    Raises:
        InputError: A file is missing, or not what `crystalvision benchmark` writes.
    """
    return render_page(find_results(load_benchmark(folder, catalogue)), catalogue, on_step)
