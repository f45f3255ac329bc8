"""Writes what a kept copy has in place of the folders of its runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.benchmarks._facts import RunFacts
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks._runs import (
    KEY,
    PREDICTIONS,
    RUNS,
    KeptRun,
    Runs,
    open_runs,
)
from crystalvision.errors import InputError
from crystalvision.evaluation import Columns, in_table, score_column, tasks_of
from crystalvision.plugins import Catalogue
from crystalvision.storage import whole_file, write_text
from crystalvision.text import json_text

if TYPE_CHECKING:
    import pandas as pd


def keep_runs(
    folder: Path, rows: Sequence[ResultRow], output: Path, catalogue: Catalogue | None = None
) -> None:
    """Write `runs.jsonl` and `predictions.parquet` of a benchmark.

    Predictions are kept with the six digits that `predictions.csv` has, in single precision. A
    table has no room for maps: of a target that is one, the score of each pattern is kept, by which
    the copy compares systems; figures of its maps, and other numbers by value of a column, are in
    the benchmark alone.

    Args:
        folder: The benchmark.
        rows: Its table.
        output: Folder to write them into.
        catalogue: Where tasks are looked up; by default the installed plugins.

    Raises:
        InputError: A run of the table is missing, or damaged.
        StorageError: The disk refuses.
    """
    runs = open_runs(folder)
    of_run: dict[str, list[ResultRow]] = {}
    for row in rows:
        if row.run and not row.by:
            of_run.setdefault(row.run, []).append(row)
    kept = [_kept(runs, folder, mine) for mine in of_run.values()]
    lines = [json_text(run.model_dump(mode="json")) for run in kept]
    write_text(output / RUNS, "".join(f"{line}\n" for line in lines))
    table = _table(
        {
            (run.run, name): {
                **runs.predictions(run.run, name),
                **_scores(runs, run, name, catalogue or Catalogue.load()),
            }
            for run in kept
            for name in run.evaluations
        }
    )
    with whole_file(output / PREDICTIONS, overwrite=True) as partial:
        table.to_parquet(partial, index=False, compression="zstd")


def _scores(runs: Runs, run: KeptRun, name: str, catalogue: Catalogue) -> Columns:
    """The score of each pattern of every target that is a map."""
    known = run.evaluations[name].targets
    maps = {key: each.target for key, each in known.items() if not in_table(each.target)}
    if not maps:
        return {}
    tasks, judged = tasks_of(maps, catalogue), runs.judged(run.run, name)
    return {score_column(key): tasks[key].scores(judged.targets[key]) for key in maps}


def _kept(runs: Runs, folder: Path, rows: Sequence[ResultRow]) -> KeptRun:
    run = rows[0].run
    facts = runs.facts(run)
    names = [row.evaluation for row in rows if row.status == "ok" and row.evaluation]
    evaluations = {name: runs.evaluation(run, name) for name in names}
    missing = [name for name, evaluation in evaluations.items() if evaluation is None]
    if facts is None or missing:
        what = ", ".join(missing) or "run.yaml"
        raise InputError(
            f"{folder / run} has no {what}; go on with crystalvision benchmark --resume"
        )
    content = facts.model_dump(include=set(RunFacts.model_fields))
    content |= {"run": run, "evaluations": evaluations, "parameters": rows[0].parameters}
    return KeptRun.model_validate(content)


def _table(predictions: dict[tuple[str, str], Columns]) -> "pd.DataFrame":
    """One table of all predictions; what an evaluation has no column for is missing there."""
    import numpy as np
    import pandas as pd

    parts = [
        pd.DataFrame(
            {
                **dict(zip(KEY, key, strict=True)),
                **{name: values for name, values in columns.items() if values.ndim == 1},
            }
        )
        for key, columns in predictions.items()
    ]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*KEY])
    narrow = {"f": np.float32, "i": np.int32}
    return table.astype(
        {name: narrow[kind.kind] for name, kind in table.dtypes.items() if kind.kind in narrow}
        | dict.fromkeys(KEY, "category")
    )
