"""Every test of a suite in a row: what was printed, and what systems reach from each training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from crystalvision.benchmarks.report._lines import Table
from crystalvision.benchmarks.report._load import LoadedBenchmark
from crystalvision.benchmarks.report._published import load_published
from crystalvision.benchmarks.report._statistics import Estimate

SPECIMENS = "specimen.label_accuracy"


@dataclass(frozen=True, slots=True)
class TestCell:
    """What a system reaches on a test, as trained on some data.

    Attributes:
        score: Its score, with the interval.
        specimens: Share of whole specimens that are told right; `None` where that is not known.
        rejected: Share of the patterns that are flagged as unlike the training data, likewise.
    """

    score: Estimate
    specimens: float | None
    rejected: float | None

    @property
    def text(self) -> str:
        """In a line."""
        parts = [f"{self.score.value:.3f} ({self.score.low:.3f}–{self.score.high:.3f})"]
        if self.specimens is not None:
            parts.append(f"specimens {self.specimens:.3f}")
        if self.rejected is not None:
            parts.append(f"flagged {self.rejected:.0%}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class TestColumn:
    """One system, trained on one dataset.

    Attributes:
        system: Its name in the suite.
        title: What tables call it.
        trained_on: Name of the dataset.
        cells: What it reaches, by name of the test.
    """

    system: str
    title: str
    trained_on: str
    cells: Mapping[str, TestCell]

    @property
    def name(self) -> str:
        """What a heading calls it."""
        return f"{self.title}, trained on {self.trained_on}"


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test.

    Attributes:
        name: Name of its dataset in the suite.
        title: What tables call it.
        printed: What the publication has, or "".
        about: What its patterns show.
    """

    name: str
    title: str
    printed: str
    about: str


@dataclass(frozen=True, slots=True)
class TestTable:
    """All tests, and what each system of the suite's `contrast` reaches on them.

    Attributes:
        rows: The tests.
        columns: The systems.
        source: The publication, or "".
    """

    rows: tuple[TestRow, ...]
    columns: tuple[TestColumn, ...]
    source: str


def test_table(benchmark: LoadedBenchmark, tables: Sequence[Table]) -> TestTable | None:
    """The table of a suite that has a `contrast`; `None` for others, or where nothing was judged.

    Raises:
        InputError: The file of the publication is not what it should be.
    """
    suite = benchmark.suite
    if not suite.contrast:
        return None
    columns = tuple(_columns(benchmark, tables))
    tests = dict.fromkeys(name for column in columns for name in column.cells)
    if not tests:
        return None
    published = load_published(benchmark)
    known = published.tests if published else {}
    rows = []
    for name in (each for each in suite.datasets if each in tests):
        plan = suite.datasets[name]
        told = known.get(plan.published or "")
        title = plan.title or (told.title if told else name)
        rows.append(TestRow(name, title, told.printed if told else "", plan.about))
    return TestTable(tuple(rows), columns, published.source if published else "")


def column_of(
    benchmark: LoadedBenchmark, tables: Sequence[Table], system: str, trained_on: str
) -> TestColumn:
    """What a system reaches on every test, as trained on a dataset."""
    cells = {}
    for table in tables:
        comparison = table.comparison
        if comparison.trained_on != trained_on or system not in comparison.cells:
            continue
        judged = comparison.cells[system]
        cells[comparison.tested_on] = TestCell(
            comparison.resampling.mean(comparison.scores(system)),
            _mean([cell.number(SPECIMENS) for cell in judged]),
            _mean([cell.facts.rejected for cell in judged]),
        )
    return TestColumn(system, benchmark.title(system), trained_on, cells)


def _columns(benchmark: LoadedBenchmark, tables: Sequence[Table]) -> list[TestColumn]:
    found = [
        column_of(benchmark, tables, system, trained_on)
        for system in benchmark.suite.systems
        for trained_on in benchmark.suite.contrast
    ]
    return [column for column in found if column.cells]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
