"""Systems that were trained on the same data and judged on the same patterns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks._test_data import read_pattern_facts
from crystalvision.benchmarks.report._load import CellResult, LoadedBenchmark
from crystalvision.benchmarks.report._score import Score
from crystalvision.benchmarks.report._statistics import Resampling
from crystalvision.errors import InputError


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of systems that were trained on the same data.

    Attributes:
        trained_on: Name of the dataset that was trained on.
        train_patterns: How many of its patterns, validation included.
        tested_on: Name of the dataset that was tested on.
        cells: Runs that went well, by system in the suite's order, by seed ascending.
        failures: Rows of cells that did not go well.
        index: Place of each judged pattern in the test dataset, (n,).
        resampling: Draws patterns and seeds.
        unit: What is drawn: `specimen` or `pattern`.
        values: Value of the suite's `by` column of each pattern, (n,); `None` without one.
        score: By what systems are compared.
    """

    trained_on: str
    train_patterns: int
    tested_on: str
    cells: dict[str, tuple[CellResult, ...]]
    failures: tuple[ResultRow, ...]
    index: Int[np.ndarray, "n"]
    resampling: Resampling
    unit: str
    values: Float[np.ndarray, "n"] | None
    score: Score

    @property
    def name(self) -> str:
        """What headings call it."""
        on = f"{self.train_patterns:,} patterns of {self.trained_on}"
        return f"trained on {on}, tested on {self.tested_on}"

    @property
    def patterns(self) -> int:
        """How many patterns were judged."""
        return len(self.index)

    def scores(
        self, system: str, seeds: Sequence[int] | None = None, metric: str = ""
    ) -> Float[np.ndarray, "n s"]:
        """The score of each pattern for each seed of a system, (n, s); of classes, 1 if right.

        Args:
            system: Which.
            seeds: Which of its seeds; by default all.
            metric: Another metric of each pattern than the score.

        Raises:
            InputError: The task has no such metric of each pattern.
        """
        chosen = [cell for cell in self.cells[system] if seeds is None or cell.row.seed in seeds]
        for cell in chosen:
            if metric and metric not in cell.others:
                known = ", ".join(cell.others) or "none"
                raise InputError(
                    f"a claim is about '{metric}' of '{self.score.target.name}', which is no "
                    f"metric of each pattern there; there are: {known}"
                )
        return np.stack([cell.others[metric] if metric else cell.scores for cell in chosen], axis=1)

    def seeds(self, system: str) -> list[int]:
        """Seeds of a system that went well."""
        return [cell.row.seed for cell in self.cells.get(system, ())]


def comparisons(benchmark: LoadedBenchmark) -> list[Comparison]:
    """Every comparison of a benchmark, in the order of its table.

    Raises:
        InputError: Two runs were judged on different patterns of one test, or what is known of
            those is missing.
    """
    if benchmark.score is None:
        return []
    groups: dict[tuple[str, int, str], list[CellResult]] = {}
    for cell in benchmark.cells:
        row = cell.row
        groups.setdefault((row.trained_on, row.train_patterns, row.tested_on), []).append(cell)
    score = benchmark.score
    return [_comparison(benchmark, key, cells, score) for key, cells in groups.items()]


def lost_failures(benchmark: LoadedBenchmark, found: Sequence[Comparison]) -> list[ResultRow]:
    """What went wrong and belongs to no comparison."""
    shown = {id(row) for each in found for row in each.failures}
    return [row for row in benchmark.failures if id(row) not in shown]


def _comparison(
    benchmark: LoadedBenchmark, key: tuple[str, int, str], cells: Sequence[CellResult], score: Score
) -> Comparison:
    trained_on, train_patterns, tested_on = key
    index = cells[0].judged.index
    for cell in cells:
        if not np.array_equal(cell.judged.index, index):
            raise InputError(
                f"{benchmark.folder / cell.row.run}: its test on {tested_on} judged other patterns "
                f"than {cells[0].row.run} did; make the benchmark again with --resume"
            )
        if cell.facts.dataset_identity != cells[0].facts.dataset_identity:
            raise InputError(
                f"{benchmark.folder / cell.row.run}: its test on {tested_on} was of other data "
                f"than that of {cells[0].row.run}; make the benchmark again with --overwrite"
            )
    order = [*benchmark.suite.systems]
    systems = sorted({cell.row.system for cell in cells}, key=order.index)
    specimen, values = _facts(benchmark, cells[0], tested_on, index)
    return Comparison(
        trained_on=trained_on,
        train_patterns=train_patterns,
        tested_on=tested_on,
        cells={name: _of_system(cells, name) for name in systems},
        failures=tuple(row for row in benchmark.failures if _concerns(row, key)),
        index=index,
        resampling=Resampling(
            np.arange(len(index)) if specimen is None else specimen, shares=score.is_share
        ),
        unit="pattern" if specimen is None else "specimen",
        values=values,
        score=score,
    )


def _of_system(cells: Sequence[CellResult], name: str) -> tuple[CellResult, ...]:
    mine = (cell for cell in cells if cell.row.system == name)
    return tuple(sorted(mine, key=lambda cell: cell.row.seed))


def _concerns(row: ResultRow, key: tuple[str, int, str]) -> bool:
    trained_on, train_patterns, tested_on = key
    same_training = (row.trained_on, row.train_patterns) == (trained_on, train_patterns)
    return same_training and row.tested_on in {"", tested_on}


def _facts(
    benchmark: LoadedBenchmark, cell: CellResult, tested_on: str, index: Int[np.ndarray, "n"]
) -> tuple[Int[np.ndarray, "n"] | None, Float[np.ndarray, "n"] | None]:
    """Specimen and value of the `by` column of each pattern."""
    by = benchmark.suite.by
    if by is None and cell.facts.unit == "pattern":
        return None, None
    facts = read_pattern_facts(BenchmarkFolder(benchmark.folder), tested_on, by)
    specimen, values = facts.specimen, facts.values
    return (
        None if specimen is None else specimen[index],
        None if values is None else values[index],
    )
