"""What a report reads of a benchmark's folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from crystalvision.benchmarks._facts import EvaluationFacts, RunFacts
from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks._runs import Runs, open_runs
from crystalvision.benchmarks._suite import Suite
from crystalvision.benchmarks.report._score import Score
from crystalvision.config import validate
from crystalvision.contracts import Target, Task
from crystalvision.errors import InputError
from crystalvision.evaluation import EvaluatedSamples, main_target, tasks_of
from crystalvision.json_text import parse_json
from crystalvision.plugins import Catalogue
from crystalvision.small_files import read_small
from crystalvision.storage import read_text
from crystalvision.text import csv_reader

Facts = TypeVar("Facts", RunFacts, EvaluationFacts)


@dataclass(frozen=True, slots=True)
class CellResult:
    """A run and what one test says of it.

    Attributes:
        row: Its row of the table.
        facts: What else is known of the test.
        judged: Its predictions.
        scores: The score of each pattern, (n,).
        others: Other scores of each pattern, by metric, (n,) each.
    """

    row: ResultRow
    facts: EvaluationFacts
    judged: EvaluatedSamples
    scores: Float[np.ndarray, "n"]
    others: Mapping[str, Float[np.ndarray, "n"]] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Their mean."""
        return float(self.scores.mean())

    def number(self, column: str) -> float | None:
        """What the table says of the test."""
        return self.facts.numbers.get(column)


@dataclass(frozen=True, slots=True)
class LoadedBenchmark:
    """A benchmark as its folder tells it.

    Attributes:
        folder: The folder.
        suite: What was to be run.
        score: By what its systems are compared; `None` where none was judged.
        tasks: What judges each target, by its name; that of the score first.
        rows: The tidy table.
        cells: The tests of runs that went well, in the order of the table.
        runs: What is known of each run, by its folder relative to the benchmark's.
        environment: Software, machine and command.
    """

    folder: Path
    suite: Suite
    score: Score | None
    tasks: dict[str, Task]
    rows: tuple[ResultRow, ...]
    cells: tuple[CellResult, ...]
    runs: dict[str, RunFacts]
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


def load_benchmark(folder: Path, catalogue: Catalogue | None = None) -> LoadedBenchmark:
    """Read a benchmark.

    Args:
        folder: The benchmark's folder.
        catalogue: Where tasks are looked up; by default the installed plugins.

    Raises:
        InputError: A file is missing, or not what `crystalvision benchmark` writes.
    """
    suite = BenchmarkFolder(folder).read_suite()
    rows = read_rows(folder / "results.csv")
    runs = open_runs(folder)
    facts: dict[str, RunFacts] = {}
    for row in rows:
        if row.status == "ok" and row.run not in facts:
            facts[row.run] = _found(runs.facts(row.run), f"{folder / row.run}")
    whole = [row for row in rows if row.status == "ok" and row.tested_on and not row.by]
    targets = _targets(runs, folder, whole, suite.target)
    tasks = tasks_of(targets, catalogue or Catalogue.load())
    name = next(iter(targets), None)
    score = None if name is None else Score(targets[name], tasks[name])
    return LoadedBenchmark(
        folder=folder,
        suite=suite,
        score=score,
        tasks=tasks,
        rows=tuple(rows),
        cells=tuple(_cell(runs, folder, row, score) for row in whole if score is not None),
        runs=facts,
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
    return [validate(ResultRow, _nested(line), str(path)) for line in lines]


def _nested(line: Mapping[str, Any]) -> dict[str, Any]:
    """A row without its empty fields, whose defaults say the same."""
    known = {key: value for key, value in line.items() if value not in {"", None}}
    own = {key: value for key, value in known.items() if "." not in key}
    return own | {"others": {key: value for key, value in known.items() if "." in key}}


def _targets(runs: Runs, folder: Path, rows: Sequence[ResultRow], wanted: str) -> dict[str, Target]:
    """What was judged, by name: the target that systems are compared by first.

    Raises:
        InputError: The wanted one was not judged.
    """
    found: dict[str, Target] = {}
    for row in rows:
        facts = _found(runs.evaluation(row.run, row.evaluation), _evaluation(folder, row))
        for name, each in facts.targets.items():
            found.setdefault(name, each.target)
    if not found:
        return {}
    main = main_target(found, wanted, f"{folder}: ")
    return {main: found.pop(main), **found}


def _cell(runs: Runs, folder: Path, row: ResultRow, score: Score) -> CellResult:
    where = _evaluation(folder, row)
    facts = _found(runs.evaluation(row.run, row.evaluation), where)
    judged = runs.judged(row.run, row.evaluation)
    if row.patterns is not None and row.patterns != len(judged.index):
        raise InputError(
            f"{where} has {len(judged.index)} predictions, expected {row.patterns} as in "
            "results.csv; go on with --resume"
        )
    name = score.target.name
    if name in judged.scores:
        return CellResult(row, facts, judged, judged.scores[name])
    if name not in judged.targets:
        raise InputError(
            f"{where} does not tell '{name}', by which the suite compares its "
            "systems; name another `target` in the suite"
        )
    main = judged.targets[name]
    return CellResult(row, facts, judged, score.task.scores(main), score.task.sample_scores(main))


def _evaluation(folder: Path, row: ResultRow) -> str:
    return f"the evaluation '{row.evaluation}' of {folder / row.run}"


def _found(facts: Facts | None, where: str) -> Facts:
    if facts is None:
        raise InputError(f"{where} is missing, but results.csv has it; go on with --resume")
    return facts


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
