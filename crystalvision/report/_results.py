"""What a report says of one run, read from its folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crystalvision.contracts import EvaluatedEstimates, Task
from crystalvision.errors import InputError
from crystalvision.evaluation import (
    EvaluatedSamples,
    Metrics,
    TargetMetrics,
    load_metrics,
    read_predictions,
    tasks_of,
)
from crystalvision.models import count_parameters
from crystalvision.plugins import Catalogue
from crystalvision.runs import Run, RunRecord
from crystalvision.text import command_line
from crystalvision.training import EpochRecord

_EVALUATIONS = "evaluations"


@dataclass(frozen=True, slots=True)
class Result:
    """A run and one evaluation of it.

    Attributes:
        name: What the report calls the run; no two in one report are alike.
        path: Its folder.
        run: The run itself.
        record: What `run.yaml` says.
        parameters: Weights that training can change; `None` for a classical system.
        epochs: How the training went, epoch by epoch.
        splits: Patterns of the training dataset in each split.
        evaluation: Name of the evaluation.
        metrics: Its numbers.
        judged: Its predictions.
        tasks: What judges each target, by its name.
    """

    name: str
    path: Path
    run: Run
    record: RunRecord
    parameters: int | None
    epochs: tuple[EpochRecord, ...]
    splits: dict[str, int]
    evaluation: str
    metrics: Metrics
    judged: EvaluatedSamples
    tasks: Mapping[str, Task]

    @property
    def targets(self) -> list[tuple[TargetMetrics, Task, EvaluatedEstimates]]:
        """Each target that was judged: its numbers, its task, its estimates; the main one first."""
        main = self.metrics.main.name
        names = [main, *(name for name in self.metrics.targets if name != main)]
        return [
            (self.metrics.targets[name], self.tasks[name], self.judged.targets[name])
            for name in names
        ]


def load_results(paths: Sequence[Path], catalogue: Catalogue) -> list[Result]:
    """Read runs, each with the evaluation that judges it best.

    That is the evaluation on the test split of the dataset that the run was trained on, or else
    the newest.

    Args:
        paths: Folders of runs, in the order of the report.
        catalogue: Where the parts of the systems are looked up.

    Raises:
        InputError: A folder that is no run or is given twice, a plugin that is not there, or a run
            that has not been evaluated.
    """
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise InputError(f"{path} is given twice; name each run once")
        seen.add(path.resolve())
    names = _distinct_names(paths)
    return [_load(path, name, catalogue) for path, name in zip(paths, names, strict=True)]


def _load(path: Path, name: str, catalogue: Catalogue) -> Result:
    run = Run.load(path, catalogue)
    folder, metrics = _choose_evaluation(path, run.record)
    targets = {name: each.target for name, each in metrics.targets.items()}
    if any(run.record.targets.get(name) != target for name, target in targets.items()):
        raise InputError(f"{folder}: its targets are not those of {path}; evaluate the run again")
    splits: dict[str, int] = {}
    for part in run.split().values():
        splits[part] = splits.get(part, 0) + 1
    return Result(
        name=name,
        path=path,
        run=run,
        record=run.record,
        parameters=count_parameters(run.system) or None,
        epochs=tuple(run.epochs()),
        splits=splits,
        evaluation=folder.name,
        metrics=metrics,
        judged=read_predictions(folder, metrics),
        tasks=tasks_of(targets, catalogue),
    )


def _choose_evaluation(path: Path, record: RunRecord) -> tuple[Path, Metrics]:
    parent = path / _EVALUATIONS
    # A folder with a leading dot is one that is being written.
    folders = [each for each in parent.glob("[!.]*") if each.is_dir()]
    if not folders:
        data = Path(record.dataset.path)
        command = command_line("crystalvision", "evaluate", path, "-d", data)
        raise InputError(f"{path} has not been evaluated; run: {command}")
    newest_first = sorted(folders, key=lambda each: (-_written(each), each.name))
    found = [(each, load_metrics(each)) for each in newest_first]
    own_test = (each for each in found if each[1].trained_on_this and each[1].split == "test")
    return next(own_test, found[0])


def _written(folder: Path) -> float:
    file = folder / "metrics.json"
    return file.stat().st_mtime if file.is_file() else 0.0


def _distinct_names(paths: Sequence[Path]) -> list[str]:
    """The folders' names, with as much of the path before them as tells them apart."""
    whole = [(Path.cwd() / path).parts for path in paths]
    for length in range(1, max(map(len, whole), default=1) + 1):
        names = ["/".join(parts[-length:]) for parts in whole]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]
