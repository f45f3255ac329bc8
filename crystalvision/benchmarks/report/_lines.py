"""Tables of systems: means over seeds, intervals, differences from the reference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median, stdev

import numpy as np

from crystalvision.benchmarks._cells import CellKey
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks.report._comparison import Comparison
from crystalvision.benchmarks.report._cost import Cost, costs, key_of
from crystalvision.benchmarks.report._load import Benchmark, Cell
from crystalvision.benchmarks.report._statistics import Estimate, holm, sign_flip_p

ALPHA = 0.05
NO_DIFFERENCE = "no significant difference"
ONE_TRAINING = "differs, but not beyond the spread of the seeds"


@dataclass(frozen=True, slots=True)
class Difference:
    """Accuracy of a system minus that of the reference, on the same patterns and seeds.

    Attributes:
        estimate: The difference and its interval over patterns and seeds.
        p: Of the paired permutation test.
        corrected: The same, corrected for all comparisons of the suite.
        seeds: Seeds that both have.
    """

    estimate: Estimate
    p: float
    corrected: float
    seeds: int

    @property
    def word(self) -> str:
        """What may be said of it.

        The test takes the trainings as they are; so a difference counts only where the interval,
        which includes other seeds, lies on one side of zero too.
        """
        if self.corrected >= ALPHA:
            return NO_DIFFERENCE
        if self.estimate.low > 0:
            return "better"
        if self.estimate.high < 0:
            return "worse"
        return ONE_TRAINING


@dataclass(frozen=True, slots=True)
class Line:
    """A system in a comparison; numbers are means over its seeds, `None` where there are none.

    Attributes:
        system: Its name in the suite.
        title: What tables call it.
        seeds: Seeds that went well.
        failures: What went wrong.
        accuracy: With its interval over patterns and seeds.
        spread: Standard deviation of the accuracy over seeds; `None` for fewer than two.
        macro_f1: See `crystalvision.evaluation.Metrics`, as for all up to `severity_source`.
        quadratic_kappa: Cohen's kappa.
        calibration_error: The expected calibration error.
        severity_mae: Mean absolute error of the severity.
        severity_source: `regression` or `class_expectation`.
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
    accuracy: Estimate | None = None
    spread: float | None = None
    macro_f1: float | None = None
    quadratic_kappa: float | None = None
    calibration_error: float | None = None
    severity_mae: float | None = None
    severity_source: str | None = None
    is_reference: bool = False
    difference: Difference | None = None
    parameters: int | None = None
    epoch_seconds: float | None = None
    training_seconds: float | None = None
    images_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A comparison and its lines, in the suite's order."""

    comparison: Comparison
    lines: tuple[Line, ...]

    @property
    def judged(self) -> list[Line]:
        """Lines of systems that have results."""
        return [line for line in self.lines if line.accuracy is not None]

    @property
    def reference(self) -> Line | None:
        """The line that the others are compared with."""
        return next((line for line in self.judged if line.is_reference), None)

    @property
    def best(self) -> Line:
        """The line with the highest mean accuracy."""
        return max(self.judged, key=lambda line: _value(line.accuracy))


def tables(benchmark: Benchmark, comparisons: Sequence[Comparison]) -> list[Table]:
    """A table of each comparison, p-values corrected over all of them."""
    cost = costs(benchmark)
    found = [Table(each, _lines(benchmark, each, cost)) for each in comparisons]
    differences = [line.difference for table in found for line in table.lines if line.difference]
    corrected = iter(holm([difference.p for difference in differences]))
    return [
        replace(table, lines=tuple(_corrected(line, corrected) for line in table.lines))
        for table in found
    ]


def paired(comparison: Comparison, system: str, reference: str) -> Difference | None:
    """Difference of two systems over the seeds that both have, not corrected."""
    common = sorted(set(comparison.seeds(system)) & set(comparison.seeds(reference)))
    if not common:
        return None
    first = comparison.right(system, common).astype(np.int64)
    second = comparison.right(reference, common).astype(np.int64)
    return tested(comparison, first - second)


def tested(comparison: Comparison, differences: np.ndarray) -> Difference:
    """Estimate and p-value of paired differences −1, 0 or 1, (n, s)."""
    sums = comparison.resampling.sums(differences.astype(np.float64)).sum(axis=1)
    p = sign_flip_p(np.rint(sums).astype(np.int64))
    estimate = comparison.resampling.difference(differences.astype(np.float64))
    return Difference(estimate, p, p, differences.shape[1])


def _corrected(line: Line, corrected: Iterator[float]) -> Line:
    if line.difference is None:
        return line
    return replace(line, difference=replace(line.difference, corrected=next(corrected)))


def _lines(
    benchmark: Benchmark, comparison: Comparison, cost: Mapping[CellKey, Cost]
) -> tuple[Line, ...]:
    failed = {row.system for row in comparison.failures}
    names = [name for name in benchmark.suite.systems if name in comparison.cells or name in failed]
    return tuple(_line(benchmark, comparison, name, cost) for name in names)


def _line(
    benchmark: Benchmark, comparison: Comparison, name: str, cost: Mapping[CellKey, Cost]
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
    accuracies = [cell.accuracy for cell in cells]
    return replace(
        empty,
        accuracy=comparison.resampling.mean(comparison.right(name).astype(np.float64)),
        spread=stdev(accuracies) if len(accuracies) > 1 else None,
        macro_f1=_mean(cells, lambda cell: cell.number("macro_f1")),
        quadratic_kappa=_mean(cells, lambda cell: cell.number("quadratic_kappa")),
        calibration_error=_mean(cells, lambda cell: cell.number("expected_calibration_error")),
        severity_mae=_mean(cells, lambda cell: cell.number("severity_mae")),
        severity_source=cells[0].facts.severity_source,
        difference=None if name == reference else paired(comparison, name, reference),
        parameters=cells[0].row.parameters,
        epoch_seconds=_median(cells, lambda cell: cost[key_of(cell.row)].epoch_seconds),
        training_seconds=_median(cells, lambda cell: cost[key_of(cell.row)].training_seconds),
        images_per_second=_median(cells, lambda cell: cell.row.images_per_second),
    )


def _mean(cells: Sequence[Cell], of: Callable[[Cell], float | None]) -> float | None:
    known = [value for cell in cells if (value := of(cell)) is not None]
    return fmean(known) if known else None


def _median(cells: Sequence[Cell], of: Callable[[Cell], float | None]) -> float | None:
    known = [value for cell in cells if (value := of(cell)) is not None]
    return median(known) if known else None


def _value(estimate: Estimate | None) -> float:
    return -1.0 if estimate is None else estimate.value
