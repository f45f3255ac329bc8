"""The tidy table, from nothing but what lies in the folder."""

import io
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from crystalvision.benchmarks._by_value import metrics_by_value
from crystalvision.benchmarks._cells import Cell, CellKey, cells_of
from crystalvision.benchmarks._folder import Place
from crystalvision.benchmarks._outcome import Outcome
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks._suite import Suite
from crystalvision.benchmarks._test_data import read_pattern_facts
from crystalvision.errors import InputError, PluginError
from crystalvision.evaluation import ClassificationMetrics, Metrics, SeverityMetrics, load_metrics
from crystalvision.json_text import validate_json
from crystalvision.models import SystemConfig, build_system, count_parameters
from crystalvision.plugins import Catalogue
from crystalvision.runs import RunRecord, load_epochs, load_record
from crystalvision.small_files import read_small
from crystalvision.storage import whole_file, write_text
from crystalvision.text import csv_writer

_CLASSIFICATION = tuple(
    name for name in ResultRow.model_fields if name in ClassificationMetrics.model_fields
)


def collect(folder: Path, catalogue: Catalogue) -> list[ResultRow]:
    """The tidy table of a benchmark, computed from its runs.

    Args:
        folder: The benchmark's folder.
        catalogue: Where parts are looked up, to count weights.

    Raises:
        InputError: It is no benchmark, or a run is damaged.
    """
    place = Place(folder)
    suite = place.read_suite()
    count = _counting(catalogue)
    return [row for cell in cells_of(suite) for row in _rows_of(suite, place, cell, count)]


def write_table(rows: Sequence[ResultRow], folder: Path) -> None:
    """Write `results.csv` and `results.parquet`.

    Raises:
        StorageError: The disk refuses.
    """
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(ResultRow.model_fields)
    writer.writerows(row.model_dump(mode="json").values() for row in rows)
    write_text(folder / "results.csv", text.getvalue())
    _write_parquet(rows, folder / "results.parquet")


def is_trained(place: Place, key: CellKey) -> bool:
    """Whether the run of a cell is whole, judged or not."""
    return (place.run(key) / "run.yaml").is_file()


def is_done(place: Place, cell: Cell) -> bool:
    """Whether a cell is trained and judged."""
    run = place.run(cell.key)
    return is_trained(place, cell.key) and all(is_judged(run, name) for name in cell.tests)


def is_judged(run: Path, test: str) -> bool:
    """Whether the evaluation of a run on a test is whole."""
    folder = run / "evaluations" / test
    return all((folder / name).is_file() for name in ("metrics.json", "predictions.csv"))


def failure_of(place: Place, cell: Cell) -> Outcome | None:
    """What is known of the failure of a cell, or `None` if it did not fail.

    Raises:
        InputError: The file is damaged.
    """
    path = place.failure(cell.key)
    if not path.is_file():
        return None
    try:
        return validate_json(Outcome, read_small(path))
    except ValueError as error:
        raise InputError(f"{path} is damaged; delete it, and go on with --resume") from error


def _rows_of(
    suite: Suite, place: Place, cell: Cell, count: Callable[[RunRecord], int | None]
) -> list[ResultRow]:
    key = cell.key
    about: dict[str, Any] = {
        "suite": suite.name,
        "budget": suite.budget,
        "system": key.system,
        "trained_on": key.dataset,
        "train_patterns": key.size,
        "seed": key.seed,
    }
    if not is_trained(place, key):
        return [ResultRow(**about, **_lost(place, cell))]
    run = place.run(key)
    record = load_record(run)
    about |= {
        "parameters": count(record),
        "training_seconds": record.training_seconds,
        "epoch_seconds": _epoch_seconds(run),
        "run": key.folder,
    }
    if not cell.tests:
        return [ResultRow(**about, device=_kind(record.device))]
    rows: list[ResultRow] = []
    for test in cell.tests:
        if is_judged(run, test):
            rows += _tested(suite, place, run, test, about)
        else:
            rows.append(ResultRow(**about, **_lost(place, cell), tested_on=test))
    return rows


def _lost(place: Place, cell: Cell) -> dict[str, Any]:
    """Why there is no result."""
    failed = failure_of(place, cell) or Outcome(status="not-run", error="not run yet")
    return {"status": failed.status, "error": failed.error}


def _tested(
    suite: Suite, place: Place, run: Path, test: str, about: dict[str, Any]
) -> list[ResultRow]:
    folder = run / "evaluations" / test
    metrics = load_metrics(folder)
    about = {
        **about,
        "tested_on": test,
        "evaluation": test,
        "device": metrics.device,
        "severity_source": metrics.severity_source,
    }
    rows = [
        ResultRow(
            **about,
            patterns=metrics.samples,
            images_per_second=metrics.images_per_second,
            **_numbers(metrics, metrics.severity),
        )
    ]
    by = suite.by
    column = None if by is None else read_pattern_facts(place, test, by).values
    if by is not None and column is not None:
        rows += [
            ResultRow(
                **about,
                by=by,
                value=value.value,
                patterns=value.patterns,
                **_numbers(value.classification, value.severity),
            )
            for value in metrics_by_value(folder, metrics, column)
        ]
    return rows


def _numbers(
    classification: ClassificationMetrics | Metrics, severity: SeverityMetrics
) -> dict[str, Any]:
    told = {name: getattr(classification, name) for name in _CLASSIFICATION}
    return told | {f"severity_{name}": value for name, value in severity.model_dump().items()}


def _epoch_seconds(run: Path) -> float | None:
    """Median wall time of an epoch, added over the phases; `None` without epochs."""
    phases: dict[str, list[float]] = {}
    for epoch in load_epochs(run):
        phases.setdefault(epoch.phase, []).append(epoch.seconds)
    return sum(map(statistics.median, phases.values())) if phases else None


def _counting(catalogue: Catalogue) -> Callable[[RunRecord], int | None]:
    """Counts the weights of a run's system; equal systems are built but once."""
    known: dict[tuple[str, str], int | None] = {}

    def count(record: RunRecord) -> int | None:
        system = record.experiment.system
        if not isinstance(system, SystemConfig):
            return None
        bare = system.model_dump_json(exclude={"branches": {"__all__": {"weights"}}})
        case = bare, str((record.image_shape, record.targets))
        if case not in known:
            known[case] = _parameters(record, system, catalogue)
        return known[case]

    return count


def _parameters(record: RunRecord, system: SystemConfig, catalogue: Catalogue) -> int | None:
    import torch

    with torch.random.fork_rng(devices=()):
        try:
            built = build_system(
                system,
                catalogue,
                in_channels=record.image_shape[0],
                targets=record.targets,
                grid=record.image_shape[1:],
                first_weights=False,
            )
        except (InputError, PluginError):  # its plugin is gone; the numbers of its runs stay
            return None
    return count_parameters(built)


def _kind(device: str) -> str:
    return device if device == "cpu" else "cuda"


def _write_parquet(rows: Sequence[ResultRow], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    fields = []
    for name, field in ResultRow.model_fields.items():
        choices = get_args(field.annotation) or (field.annotation,)
        fields.append(pa.field(name, next((types[c] for c in choices if c in types), pa.string())))
    table = pa.Table.from_pylist([row.model_dump() for row in rows], schema=pa.schema(fields))
    with whole_file(path, overwrite=True) as partial:
        parquet.write_table(table, partial)
