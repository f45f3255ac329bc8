"""The tidy table, from nothing but what lies in the folder."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from crystalvision.benchmarks._by_value import metrics_by_value
from crystalvision.benchmarks._cells import Cell, CellKey, cells_of
from crystalvision.benchmarks._count import counting
from crystalvision.benchmarks._facts import EvaluationFacts
from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks._outcome import Outcome
from crystalvision.benchmarks._rows import SEVERITY, ResultRow
from crystalvision.benchmarks._runs import Runs, open_runs
from crystalvision.benchmarks._suite import Suite
from crystalvision.benchmarks._test_data import read_pattern_facts
from crystalvision.errors import InputError
from crystalvision.evaluation import EvaluatedSamples, tasks_of
from crystalvision.json_text import validate_json
from crystalvision.plugins import Catalogue
from crystalvision.small_files import read_small
from crystalvision.storage import whole_file, write_text
from crystalvision.text import csv_writer

_FIELDS = {name: field for name, field in ResultRow.model_fields.items() if name != "others"}


def collect(folder: Path, catalogue: Catalogue) -> list[ResultRow]:
    """The tidy table of a benchmark, computed from its runs, or from what is kept of them.

    Args:
        folder: The benchmark's folder.
        catalogue: Where parts are looked up, to count weights.

    Raises:
        InputError: It is no benchmark, or a run is damaged.
    """
    place = BenchmarkFolder(folder)
    suite = place.read_suite()
    runs = open_runs(folder, counting(catalogue))
    return [
        row for cell in cells_of(suite) for row in _rows_of(suite, place, cell, runs, catalogue)
    ]


def write_table(rows: Sequence[ResultRow], folder: Path) -> None:
    """Write `results.csv` and `results.parquet`.

    Raises:
        StorageError: The disk refuses.
    """
    others = list(dict.fromkeys(name for row in rows for name in row.others))
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow([*_FIELDS, *others])
    writer.writerows(row.flat(others).values() for row in rows)
    write_text(folder / "results.csv", text.getvalue())
    _write_parquet(rows, others, folder / "results.parquet")


def is_trained(place: BenchmarkFolder, key: CellKey) -> bool:
    """Whether the run of a cell is whole, judged or not."""
    return (place.run(key) / "run.yaml").is_file()


def is_done(place: BenchmarkFolder, cell: Cell) -> bool:
    """Whether a cell is trained and judged."""
    run = place.run(cell.key)
    return is_trained(place, cell.key) and all(is_judged(run, name) for name in cell.tests)


def is_judged(run: Path, test: str) -> bool:
    """Whether the evaluation of a run on a test is whole."""
    folder = run / "evaluations" / test
    return all((folder / name).is_file() for name in ("metrics.json", "predictions.csv"))


def failure_of(place: BenchmarkFolder, cell: Cell) -> Outcome | None:
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
    suite: Suite, place: BenchmarkFolder, cell: Cell, runs: Runs, catalogue: Catalogue
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
    facts = runs.facts(key.folder)
    if facts is None:
        return [ResultRow(**about, **_lost(place, cell))]
    about |= {
        "parameters": facts.parameters,
        "training_seconds": facts.training_seconds,
        "epoch_seconds": facts.epoch_seconds,
        "run": key.folder,
    }
    if not cell.tests:
        return [ResultRow(**about, device=_kind(facts.device))]
    rows: list[ResultRow] = []
    for test in cell.tests:
        evaluation = runs.evaluation(key.folder, test)
        if evaluation is None:
            rows.append(ResultRow(**about, **_lost(place, cell), tested_on=test))
            continue
        judged = runs.judged(key.folder, test)
        more = {**about, "tested_on": test, **_about(evaluation, test)}
        rows.append(
            ResultRow.of(
                evaluation.numbers,
                **more,
                patterns=len(judged.index),
                images_per_second=evaluation.images_per_second,
            )
        )
        rows += _by(suite, place, evaluation, judged, catalogue, more)
    return rows


def _lost(place: BenchmarkFolder, cell: Cell) -> dict[str, Any]:
    """Why there is no result."""
    failed = failure_of(place, cell) or Outcome(status="not-run", error="not run yet")
    return {"status": failed.status, "error": failed.error}


def _about(evaluation: EvaluationFacts, test: str) -> dict[str, Any]:
    severity = evaluation.targets.get(SEVERITY)
    source = None if severity is None else severity.source
    return {
        "evaluation": test,
        "device": evaluation.device,
        "severity_source": "regression" if source == "head" else source,
    }


def _by(
    suite: Suite,
    place: BenchmarkFolder,
    evaluation: EvaluationFacts,
    judged: EvaluatedSamples,
    catalogue: Catalogue,
    about: dict[str, Any],
) -> list[ResultRow]:
    """A row for each value of the suite's `by` column."""
    if suite.by is None:
        return []
    column = read_pattern_facts(place, about["tested_on"], suite.by).values
    if column is None:
        return []
    tasks = tasks_of({name: each.target for name, each in evaluation.targets.items()}, catalogue)
    return [
        ResultRow.of(each.numbers, **about, by=suite.by, value=each.value, patterns=each.patterns)
        for each in metrics_by_value(judged, tasks, column)
    ]


def _kind(device: str) -> str:
    return device if device == "cpu" else "cuda"


def _write_parquet(rows: Sequence[ResultRow], others: Sequence[str], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    fields = []
    for name, field in _FIELDS.items():
        choices = get_args(field.annotation) or (field.annotation,)
        fields.append(pa.field(name, next((types[c] for c in choices if c in types), pa.string())))
    fields += [pa.field(name, pa.float64()) for name in others]
    table = pa.Table.from_pylist([row.flat(others) for row in rows], schema=pa.schema(fields))
    with whole_file(path, overwrite=True) as partial:
        parquet.write_table(table, partial)
