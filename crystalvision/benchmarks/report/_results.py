"""Everything that a benchmark found, before it becomes a page or a table."""

from dataclasses import dataclass

from crystalvision.benchmarks._rows import LABEL, ResultRow
from crystalvision.benchmarks.report._bounds import Limit, load_limits
from crystalvision.benchmarks.report._claims import ClaimResult, answered
from crystalvision.benchmarks.report._comparison import comparisons, lost_failures
from crystalvision.benchmarks.report._cross_claims import cross_claims
from crystalvision.benchmarks.report._lines import Table, tables
from crystalvision.benchmarks.report._load import LoadedBenchmark
from crystalvision.benchmarks.report._published import (
    PublishedTable,
    load_published,
    published_table,
)
from crystalvision.benchmarks.report._tests import TestTable, test_table


@dataclass(frozen=True, slots=True)
class Results:
    """What a benchmark found.

    Attributes:
        benchmark: What its folder holds.
        tables: One for each comparison.
        main: Those that answer the suite's question: of the largest training size, and tested on
            the data that was trained on where there is such a test.
        limits: Upper bounds by test dataset.
        published: Published numbers beside those of the first main table.
        claims: What each main table says of the suite's claims; nothing if it has none.
        lost: Failures that belong to no comparison.
        across: What was found of claims that name training and test data.
        tests: Every test in a row, where the suite has a `contrast`.
    """

    benchmark: LoadedBenchmark
    tables: tuple[Table, ...]
    main: tuple[Table, ...]
    limits: dict[str, Limit]
    published: PublishedTable | None
    claims: tuple[tuple[Table, tuple[ClaimResult, ...]], ...]
    lost: tuple[ResultRow, ...]
    across: tuple[ClaimResult, ...] = ()
    tests: TestTable | None = None

    @property
    def notes(self) -> list[str]:
        """What a reader must know of the metrics."""
        return [
            note for note in dict.fromkeys(t.note for t in self.benchmark.tasks.values()) if note
        ]

    @property
    def derived(self) -> bool:
        """Whether a number is of a target that no head of its own tells."""
        return any(line.derived for table in self.tables for line in table.lines)

    @property
    def differences(self) -> int:
        """How many differences are tested, over which p-values are corrected."""
        return sum(line.difference is not None for table in self.tables for line in table.lines)


def find_results(benchmark: LoadedBenchmark) -> Results:
    """Compute everything that page and table say.

    Raises:
        InputError: A file is not what `crystalvision benchmark` writes.
    """
    found = comparisons(benchmark)
    every = tuple(tables(benchmark, found))
    main = _main(every)
    published = load_published(benchmark) if _of_classes(benchmark) else None
    return Results(
        benchmark=benchmark,
        tables=every,
        main=main,
        limits=load_limits(benchmark) if _of_classes(benchmark) else {},
        published=published_table(benchmark, main[0], published) if main and published else None,
        claims=tuple(
            (table, claims)
            for table in main
            if (claims := tuple(answered(benchmark, table, published, found)))
        ),
        lost=tuple(lost_failures(benchmark, found)),
        across=cross_claims(benchmark.suite, every),
        tests=test_table(benchmark, every),
    )


def _of_classes(benchmark: LoadedBenchmark) -> bool:
    """Whether systems are compared by what a bound of a source is of: the accuracy of `label`."""
    score = benchmark.score
    return score is not None and score.target.name == LABEL and score.is_share


def _main(every: tuple[Table, ...]) -> tuple[Table, ...]:
    largest: dict[tuple[str, str], Table] = {}
    for table in every:
        comparison = table.comparison
        key = (comparison.trained_on, comparison.tested_on)
        known = largest.get(key)
        if known is None or known.comparison.train_patterns < comparison.train_patterns:
            largest[key] = table
    own = [table for (trained, tested), table in largest.items() if trained == tested]
    return tuple(own or largest.values())
