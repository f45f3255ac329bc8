"""What a report reads of a benchmark's folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from crystalvision.benchmarks._folder import Place
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks._suite import Suite
from crystalvision.config import validate
from crystalvision.errors import InputError
from crystalvision.evaluation import Metrics, load_metrics
from crystalvision.json_text import parse_json
from crystalvision.report import Judged, read_predictions
from crystalvision.runs import RunRecord, load_record
from crystalvision.small_files import read_small
from crystalvision.storage import read_text
from crystalvision.text import csv_reader

_EVALUATIONS = "evaluations"


@dataclass(frozen=True, slots=True)
class Cell:
    """A run and what one test says of it.

    Attributes:
        row: Its row of the table.
        metrics: The test's numbers.
        judged: Its predictions.
    """

    row: ResultRow
    metrics: Metrics
    judged: Judged


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark as its folder tells it.

    Attributes:
        folder: The folder.
        suite: What was to be run.
        rows: The tidy table.
        cells: The tests of runs that went well, in the order of the table.
        records: What the `run.yaml` of each run says, by its folder relative to the benchmark's.
        environment: Software, machine and command.
    """

    folder: Path
    suite: Suite
    rows: tuple[ResultRow, ...]
    cells: tuple[Cell, ...]
    records: dict[str, RunRecord]
    environment: dict[str, Any]

    @property
    def budget(self) -> str:
        """Name of the budget."""
        return self.rows[0].budget

    @property
    def failures(self) -> list[ResultRow]:
        """Rows of what went wrong."""
        return [row for row in self.rows if row.status != "ok"]

    def title(self, system: str) -> str:
        """What tables call a system."""
        plan = self.suite.systems.get(system)
        return (plan.title if plan else None) or system


def load_benchmark(folder: Path) -> Benchmark:
    """Read a benchmark.

    Args:
        folder: The benchmark's folder.

    Raises:
        InputError: A file is missing, or not what `crystalvision benchmark` writes.
    """
    suite = Place(folder).read_suite()
    rows = read_rows(folder / "results.csv")
    records: dict[str, RunRecord] = {}
    for row in rows:
        if row.status == "ok" and row.run not in records:
            records[row.run] = load_record(folder / row.run)
    whole = [row for row in rows if row.status == "ok" and row.tested_on and not row.by]
    return Benchmark(
        folder=folder,
        suite=suite,
        rows=tuple(rows),
        cells=tuple(_cell(folder, row) for row in whole),
        records=records,
        environment=_read_json(folder / "environment.json"),
    )


def read_rows(path: Path) -> list[ResultRow]:
    """The rows of a `results.csv`.

    Raises:
        InputError: It is missing, empty, or not what `crystalvision benchmark` writes.
    """
    try:
        lines = csv_reader(StringIO(read_text(path), newline="")).mappings()
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing; crystalvision benchmark writes it: go on with --resume"
        ) from error
    if not lines:
        raise InputError(f"{path} has no rows; crystalvision benchmark writes one for each cell")
    return [validate(ResultRow, _without_gaps(line), str(path)) for line in lines]


def _without_gaps(line: Mapping[str, Any]) -> dict[str, Any]:
    """A row without its empty fields, whose defaults say the same."""
    return {key: value for key, value in line.items() if value not in {"", None}}


def _cell(folder: Path, row: ResultRow) -> Cell:
    evaluation = folder / row.run / _EVALUATIONS / row.evaluation
    metrics = load_metrics(evaluation)
    judged = read_predictions(evaluation / "predictions.csv", metrics)
    return Cell(row, metrics, judged)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(read_small(path))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a mapping of names to values")
    return content
