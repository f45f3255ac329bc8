"""Tables of systems: means over seeds, intervals, differences from the reference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median, stdev

import numpy as np

from crystalvision.benchmarks._cells import CellKey
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks.report._columns import MetricColumn, shown_columns
from crystalvision.benchmarks.report._comparison import Comparison
from crystalvision.benchmarks.report._cost import TrainingCost, costs, key_of
from crystalvision.benchmarks.report._load import CellResult, LoadedBenchmark
from crystalvision.benchmarks.report._score import Score
from crystalvision.benchmarks.report._statistics import (
    Estimate,
    Resampling,
    holm,
    permutation_p,
    sign_flip_p,
)
from crystalvision.contracts import Target

ALPHA = 0.05
NO_DIFFERENCE = "no significant difference"
ONE_TRAINING = "differs, but not beyond the spread of the seeds"


@dataclass(frozen=True, slots=True)
class Difference:
    """Score of a system minus that of the reference, on the same patterns and seeds.

    Attributes:
        estimate: The difference and its interval over patterns and seeds.
        p: Of the paired permutation test.
        corrected: The same, corrected for all comparisons of the suite.
        seeds: Seeds that both have.
        higher_is_better: Whether a positive difference is a better system.
    """

    estimate: Estimate
    p: float
    corrected: float
    seeds: int
    higher_is_better: bool = True

    @property
    def word(self) -> str:
        """What may be said of it.

        The test takes the trainings as they are; so a difference counts only where the interval,
        which includes other seeds, lies on one side of zero too.
        """
        if self.corrected >= ALPHA:
            return NO_DIFFERENCE
        if self.estimate.low > 0:
            return "better" if self.higher_is_better else "worse"
        if self.estimate.high < 0:
            return "worse" if self.higher_is_better else "better"
        return ONE_TRAINING


@dataclass(frozen=True, slots=True)
class Line:
    """A system in a comparison; numbers are means over its seeds, `None` where there are none.

    Attributes:
        system: Its name in the suite.
        title: What tables call it.
        seeds: Seeds that went well.
        failures: What went wrong.
        score: With its interval over patterns and seeds.
        spread: Standard deviation of the score over seeds; `None` for fewer than two.
        numbers: Other metrics that the table shows, by column.
        derived: Columns of targets that no head of the system tells: they follow from another.
        is_reference: Whether the others are compared with it.
        difference: From the reference; `None` where they have no seed in common.
        parameters: Weights that training can change.
        epoch_seconds: Median over the seeds, as for the next two; of its training and those that
            it begins with, together [s].
        training_seconds: Wall time of all of these trainings [s].
        images_per_second: Speed of prediction [1/s].
    """

    system: str
    title: str
    seeds: tuple[int, ...]
    failures: tuple[ResultRow, ...]
    score: Estimate | None = None
    spread: float | None = None
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    derived: frozenset[str] = frozenset()
    is_reference: bool = False
    difference: Difference | None = None
    parameters: int | None = None
    epoch_seconds: float | None = None
    training_seconds: float | None = None
    images_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A comparison and its lines, in the suite's order.

    Attributes:
        comparison: The comparison.
        lines: Its lines.
        columns: Metrics that it shows beside the score.
    """

    comparison: Comparison
    lines: tuple[Line, ...]
    columns: tuple[MetricColumn, ...]

    @property
    def judged(self) -> list[Line]:
        """Lines of systems that have results."""
        return [line for line in self.lines if line.score is not None]

    @property
    def reference(self) -> Line | None:
        """The line that the others are compared with."""
        return next((line for line in self.judged if line.is_reference), None)

    @property
    def best(self) -> Line:
        """The line with the best mean score."""
        goodness = self.comparison.score.goodness
        return max(self.judged, key=lambda line: goodness(line.score.value) if line.score else 0.0)


def tables(benchmark: LoadedBenchmark, comparisons: Sequence[Comparison]) -> list[Table]:
    """A table of each comparison, p-values corrected over all of them."""
    cost = costs(benchmark)
    columns = shown_columns(benchmark.tasks, _known(benchmark))
    found = [Table(each, _lines(benchmark, each, cost, columns), columns) for each in comparisons]
    differences = [line.difference for table in found for line in table.lines if line.difference]
    corrected = iter(holm([difference.p for difference in differences]))
    return [
        replace(table, lines=tuple(_corrected(line, corrected) for line in table.lines))
        for table in found
    ]


def paired(
    comparison: Comparison, system: str, reference: str, metric: str = ""
) -> Difference | None:
    """Difference of two systems over the seeds that both have, not corrected.

    Args:
        comparison: Where they meet.
        system: The one.
        reference: The other.
        metric: Another metric of each pattern than the score.
    """
    common = sorted(set(comparison.seeds(system)) & set(comparison.seeds(reference)))
    if not common:
        return None
    one, other = (comparison.scores(name, common, metric) for name in (system, reference))
    return tested(comparison.resampling, comparison.score, one - other)


def below(comparison: Comparison, system: str, value: float, metric: str = "") -> Difference:
    """How far the score of a system is from a value that it is said to stay below, not corrected.

    Tested as if specimens had changed signs about that value; "better" is below it.
    """
    distances = comparison.scores(system, metric=metric) - value
    resampling = comparison.resampling
    p = permutation_p(resampling.sums(distances).sum(axis=1))
    estimate = resampling.difference(distances)
    return Difference(estimate, p, p, distances.shape[1], higher_is_better=False)


def kept_better(
    before: Comparison, after: Comparison, system: str, other: str, metric: str = ""
) -> Difference | None:
    """By how much less a system lost than another, from one training to another, not corrected.

    Args:
        before: Systems that were trained on one dataset.
        after: The same that were trained on another, and judged on the same patterns.
        system: The one.
        other: The other.
        metric: Another metric of each pattern than the score.
    """
    seeds = [set(each.seeds(name)) for each in (before, after) for name in (system, other)]
    common = sorted(set.intersection(*seeds))
    if not common or not np.array_equal(before.index, after.index):
        return None
    changes = [
        after.scores(name, common, metric) - before.scores(name, common, metric)
        for name in (system, other)
    ]
    return tested(after.resampling, after.score, changes[0] - changes[1])


def tested(resampling: Resampling, score: Score, differences: np.ndarray) -> Difference:
    """Estimate and p-value of paired differences of scores, (n, s); of shares −1, 0 or 1."""
    sums = resampling.sums(differences).sum(axis=1)
    p = sign_flip_p(np.rint(sums).astype(np.int64)) if score.is_share else permutation_p(sums)
    estimate = resampling.difference(differences)
    return Difference(estimate, p, p, differences.shape[1], score.task.higher_is_better)


def _corrected(line: Line, corrected: Iterator[float]) -> Line:
    if line.difference is None:
        return line
    return replace(line, difference=replace(line.difference, corrected=next(corrected)))


def _lines(
    benchmark: LoadedBenchmark,
    comparison: Comparison,
    cost: Mapping[CellKey, TrainingCost],
    columns: Sequence[MetricColumn],
) -> tuple[Line, ...]:
    failed = {row.system for row in comparison.failures}
    names = [name for name in benchmark.suite.systems if name in comparison.cells or name in failed]
    return tuple(_line(benchmark, comparison, name, cost, columns) for name in names)


def _line(
    benchmark: LoadedBenchmark,
    comparison: Comparison,
    name: str,
    cost: Mapping[CellKey, TrainingCost],
    columns: Sequence[MetricColumn],
) -> Line:
    cells = comparison.cells.get(name, ())
    reference = benchmark.suite.compare_with
    empty = Line(
        system=name,
        title=benchmark.title(name),
        seeds=tuple(cell.row.seed for cell in cells),
        failures=tuple(row for row in comparison.failures if row.system == name),
        is_reference=name == reference,
    )
    if not cells:
        return empty
    scores, evaluated = [cell.score for cell in cells], cells[0].facts.targets
    return replace(
        empty,
        score=comparison.resampling.mean(comparison.scores(name)),
        spread=stdev(scores) if len(scores) > 1 else None,
        numbers={each.name: _mean_number(cells, each.name) for each in columns},
        derived=frozenset(
            each.name
            for each in columns
            if each.target in evaluated and evaluated[each.target].source != "head"
        ),
        difference=None if name == reference else paired(comparison, name, reference),
        parameters=cells[0].row.parameters,
        epoch_seconds=_median(cells, lambda cell: cost[key_of(cell.row)].epoch_seconds),
        training_seconds=_median(cells, lambda cell: cost[key_of(cell.row)].training_seconds),
        images_per_second=_median(cells, lambda cell: cell.row.images_per_second),
    )


def _mean(cells: Sequence[CellResult], of: Callable[[CellResult], float | None]) -> float | None:
    known = [value for cell in cells if (value := of(cell)) is not None]
    return fmean(known) if known else None


def _known(benchmark: LoadedBenchmark) -> dict[str, Target]:
    """Every target that a test judged, by name."""
    return {
        name: each.target for cell in benchmark.cells for name, each in cell.facts.targets.items()
    }


def _mean_number(cells: Sequence[CellResult], column: str) -> float | None:
    return _mean(cells, lambda cell: cell.number(column))


def _median(cells: Sequence[CellResult], of: Callable[[CellResult], float | None]) -> float | None:
    known = [value for cell in cells if (value := of(cell)) is not None]
    return median(known) if known else None
