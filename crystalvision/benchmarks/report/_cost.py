"""What the training of a system took, with that of the branches that it begins with."""

from collections.abc import Iterable
from dataclasses import dataclass

from crystalvision.benchmarks._cells import CellKey, cells_of
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks.report._load import LoadedBenchmark


@dataclass(frozen=True, slots=True)
class TrainingCost:
    """Times of a training and of all that it begins with; `None` where one is not known.

    Attributes:
        training_seconds: Wall time, added up [s].
        epoch_seconds: Of an epoch of each on the same data, added up [s]: one pass through all that
            was trained on them.
    """

    training_seconds: float | None
    epoch_seconds: float | None


def costs(benchmark: LoadedBenchmark) -> dict[CellKey, TrainingCost]:
    """The cost of each cell that went well.

    Without the branches that it begins with, a fusion would look cheaper than one of its parts.
    """
    rows = {key_of(row): row for row in benchmark.rows if row.status == "ok"}
    chains: dict[CellKey, set[CellKey]] = {key: {key} for key in rows}
    for cell in cells_of(benchmark.suite):  # each after those that it begins with
        chains[cell.key] = {cell.key}.union(*(chains[key] for key in cell.needs))
    return {key: _cost(key.dataset, [rows.get(each) for each in chains[key]]) for key in rows}


def key_of(row: ResultRow) -> CellKey:
    """The cell of a row."""
    return CellKey(row.system, row.trained_on, row.train_patterns, row.seed)


def _cost(dataset: str, rows: Iterable[ResultRow | None]) -> TrainingCost:
    training, epochs = 0.0, 0.0
    for row in rows:
        if row is None or row.training_seconds is None:
            return TrainingCost(None, None)
        training += row.training_seconds
        if row.trained_on == dataset:
            epochs += row.epoch_seconds or 0.0
    return TrainingCost(training, epochs or None)
