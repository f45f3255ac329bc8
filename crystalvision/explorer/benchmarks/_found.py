"""What a benchmark found, as the page shows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crystalvision.benchmarks.report import (
    Curve,
    Line,
    Results,
    Table,
    by_curves,
    find_results,
    label_of,
    load_benchmark,
    size_curves,
    size_groups,
)
from crystalvision.errors import InputError
from crystalvision.explorer.tables import Cell, number_cell, text_cell
from crystalvision.plugins import Catalogue

_PATTERNS = "patterns to train on"


@dataclass(frozen=True, slots=True)
class Point:
    """A system in a test, as a figure shows it.

    Attributes:
        system: What tables call it.
        test: What it was trained and tested on.
        score: The mean over seeds.
        low: Lower end of its 95 % interval over patterns and seeds.
        high: Upper end.
        seeds: The score with each seed, by seed.
    """

    system: str
    test: str
    score: float
    low: float
    high: float
    seeds: dict[int, float]


@dataclass(frozen=True, slots=True)
class Course:
    """Scores along something: the value of a column, or the number of training patterns.

    Attributes:
        title: Of which test.
        along: What the axis says.
        curves: One for each system.
        logarithmic: Whether the axis goes by factors.
    """

    title: str
    along: str
    curves: tuple[Curve, ...]
    logarithmic: bool


class Found:
    """What a benchmark found.

    Attributes:
        results: Everything that its report says.
        title: What it is called.
        score: By what its systems are compared, such as `accuracy`.
    """

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        """Read a benchmark, or the kept copy of one.

        Raises:
            InputError: It is none, a file is damaged, or no system was judged.
        """
        self.results: Results = find_results(load_benchmark(folder, catalogue))
        benchmark = self.results.benchmark
        if benchmark.score is None:
            raise InputError(f"{folder}: no system was judged; see the errors in its results.csv")
        suite = benchmark.suite
        self.title = f"{suite.name} ({benchmark.budget})" if benchmark.budget else suite.name
        self.score = benchmark.score.name

    @property
    def tests(self) -> dict[str, Table]:
        """The tables, by what was trained and tested on; those of the suite's question first."""
        main = [*self.results.main]
        rest = [table for table in self.results.tables if table not in main]
        return {table.comparison.name: table for table in (*main, *rest)}

    def headings(self, table: Table) -> list[str]:
        """Headings of the columns of a table."""
        shown = [column.short for column in table.columns]
        gap = f"difference{table.comparison.score.in_brackets}"
        return ["system", self.score, "95 % interval", "± seeds", "seeds", gap, "p", *shown,
                "weights", "training [s]", "patterns/s", "against the reference"]  # fmt: skip

    def rows(self, table: Table) -> list[list[Cell]]:
        """Cells of a table, a row for each system."""
        return [self._row(table, line) for line in table.lines]

    def _row(self, table: Table, line: Line) -> list[Cell]:
        score, gap = line.score, line.difference
        scoring = table.comparison.score
        name = f"{line.title} (reference)" if line.is_reference else line.title
        if line.failures:
            name += f": {len(line.failures)} failed, {line.failures[0].error}"
        ends = Cell("–", None)
        if score is not None:
            ends = Cell(f"{score.low:.3f} to {score.high:.3f}", score.low)
        against, p, word = Cell("–", None), Cell("–", None), Cell("–", None)
        if gap is not None:
            against = Cell(scoring.difference(gap.estimate), gap.estimate.value)
            p, word = number_cell(gap.corrected, ".3g"), text_cell(gap.word)
        return [
            text_cell(name),
            number_cell(None if score is None else score.value, ".4f"),
            ends,
            number_cell(line.spread, ".2g"),
            Cell(" ".join(map(str, line.seeds)) or "–", len(line.seeds)),
            against,
            p,
            *(number_cell(line.numbers.get(column.name)) for column in table.columns),
            number_cell(line.parameters, ",.0f"),
            number_cell(line.training_seconds),
            number_cell(line.images_per_second),
            word,
        ]

    def points(self, table: Table) -> list[Point]:
        """Each judged system of a table, the best first."""
        comparison = table.comparison
        found = [
            Point(
                line.title,
                comparison.name,
                line.score.value,
                line.score.low,
                line.score.high,
                {cell.row.seed: cell.score for cell in comparison.cells[line.system]},
            )
            for line in table.judged
            if line.score is not None
        ]
        return sorted(found, key=lambda point: -comparison.score.goodness(point.score))

    def courses(self) -> Iterator[Course]:
        """Scores along the suite's `by` column, and along the number of training patterns."""
        by = self.results.benchmark.suite.by
        for table in self.results.tables:
            curves = by_curves(table) if by else []
            if curves and len(curves[0].points) > 1:
                yield _course(table.comparison.name, label_of(by or ""), curves)
        for group in size_groups(self.results.tables):
            of = group[0].comparison
            title = f"trained on {of.trained_on}, tested on {of.tested_on}"
            yield _course(title, _PATTERNS, size_curves(group))


def _course(title: str, along: str, curves: list[Curve]) -> Course:
    places = [place for curve in curves for place in curve.points]
    logarithmic = min(places) > 0 and max(places) / min(places) >= 8
    return Course(title, along, tuple(curves), logarithmic)
