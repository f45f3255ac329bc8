"""The runs of a benchmark: in folders as they were trained, or in the two files of a kept copy.

A kept copy has `runs.jsonl`, a line for each run, and `predictions.parquet`, a row for each
prediction of each of them. Table and page are computed from either.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

from crystalvision.benchmarks._facts import (
    EvaluationFacts,
    RunFacts,
    evaluation_facts,
    run_facts,
)
from crystalvision.errors import InputError
from crystalvision.evaluation import (
    Columns,
    EvaluatedSamples,
    judged_samples,
    load_metrics,
    read_columns,
)
from crystalvision.json_text import validate_json
from crystalvision.runs import RunRecord
from crystalvision.small_files import read_small

RUNS = "runs.jsonl"
PREDICTIONS = "predictions.parquet"
KEY = ("run", "evaluation")


class KeptRun(RunFacts):
    """A line of `runs.jsonl`.

    Attributes:
        run: Folder of the run, relative to the benchmark's.
        evaluations: Its evaluations by name.
    """

    run: str
    evaluations: dict[str, EvaluationFacts]


class Runs(ABC):
    """The runs of a benchmark; each is named by its folder, relative to the benchmark's."""

    @abstractmethod
    def facts(self, run: str) -> RunFacts | None:
        """What is known of a run; `None` where it was not trained.

        Raises:
            InputError: It is damaged.
        """

    @abstractmethod
    def evaluation(self, run: str, name: str) -> EvaluationFacts | None:
        """What is known of an evaluation; `None` where there is none.

        Raises:
            InputError: It is damaged.
        """

    @abstractmethod
    def predictions(self, run: str, name: str) -> Columns:
        """The columns of an evaluation's predictions: name → n values, or n maps.

        Raises:
            InputError: They are missing, or damaged.
        """

    def judged(self, run: str, name: str) -> EvaluatedSamples:
        """The predictions of an evaluation.

        Raises:
            InputError: They are missing, or damaged.
        """
        facts, where = self.evaluation(run, name), f"the evaluation '{name}' of {run}"
        if facts is None:
            raise InputError(f"{where} is missing; go on with --resume")
        return judged_samples(self.predictions(run, name), facts.targets, where)


def open_runs(
    folder: Path, count: Callable[[RunRecord], int | None] = lambda _record: None
) -> Runs:
    """The runs of a benchmark.

    Args:
        folder: The benchmark's folder.
        count: Counts the weights of a run's system; runs of a kept copy have been counted.

    Raises:
        InputError: A file of a kept copy is damaged.
    """
    if (folder / RUNS).is_file() and not (folder / "runs").is_dir():
        return _KeptRuns(folder)
    return _RunFolders(folder, count)


class _RunFolders(Runs):
    def __init__(self, folder: Path, count: Callable[[RunRecord], int | None]) -> None:
        self._folder = folder
        self._count = count

    def facts(self, run: str) -> RunFacts | None:
        path = self._folder / run
        return run_facts(path, self._count) if (path / "run.yaml").is_file() else None

    def evaluation(self, run: str, name: str) -> EvaluationFacts | None:
        path = self._path(run, name)
        whole = all((path / file).is_file() for file in ("metrics.json", "predictions.csv"))
        return evaluation_facts(load_metrics(path)) if whole else None

    def predictions(self, run: str, name: str) -> Columns:
        return read_columns(self._path(run, name))

    def _path(self, run: str, name: str) -> Path:
        return self._folder / run / "evaluations" / name


class _KeptRuns(Runs):
    def __init__(self, folder: Path) -> None:
        self._path = folder / PREDICTIONS
        self._runs: dict[str, KeptRun] = {}
        for number, line in enumerate(read_small(folder / RUNS).splitlines(), start=1):
            try:
                kept = validate_json(KeptRun, line)
            except ValueError as error:
                raise InputError(
                    f"{folder / RUNS}, line {number}: not what benchmarks/keep.py writes: {error}"
                ) from error
            self._runs[kept.run] = kept
        self._tables: Mapping[tuple[str, ...], Columns] | None = None

    def facts(self, run: str) -> RunFacts | None:
        return self._runs.get(run)

    def evaluation(self, run: str, name: str) -> EvaluationFacts | None:
        kept = self._runs.get(run)
        return None if kept is None else kept.evaluations.get(name)

    def predictions(self, run: str, name: str) -> Columns:
        if self._tables is None:
            self._tables = _read_predictions(self._path)
        try:
            return self._tables[run, name]
        except KeyError:
            raise InputError(
                f"{self._path} has no predictions of the evaluation '{name}' of {run}; keep the "
                "benchmark again"
            ) from None


def _read_predictions(path: Path) -> Mapping[tuple[str, ...], Columns]:
    """The predictions of all evaluations, by run and name."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
        groups = table.groupby(list(KEY), sort=False, observed=True)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; keep the benchmark again") from error
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is not what benchmarks/keep.py writes: {error}") from error
    found: dict[tuple[str, ...], Columns] = {}
    for (run, name), rows in groups:
        known = rows.drop(columns=list(KEY)).dropna(axis="columns", how="all")
        found[str(run), str(name)] = {str(key): known[key].to_numpy() for key in known.columns}
    return found
