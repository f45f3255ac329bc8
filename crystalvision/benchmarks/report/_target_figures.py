"""Figures of how each target is told, as its task draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crystalvision.benchmarks._rows import LABEL, column_of
from crystalvision.benchmarks.report._lines import Line, Table
from crystalvision.benchmarks.report._load import CellResult
from crystalvision.contracts import EvaluatedEstimates, EvaluatedSystem, Task
from crystalvision.evaluation import EvaluatedTarget
from crystalvision.report import Picture, picture

_TOLD_APART = 6  # systems with a colour of their own among curves


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """How one target is told.

    Attributes:
        title: Heading.
        compared: Figures of all systems together.
        each: Figures of one system each.
        note: What those show.
    """

    title: str
    compared: tuple[Picture, ...]
    each: tuple[Picture, ...]
    note: str


def target_figures(table: Table, tasks: Mapping[str, Task]) -> list[TargetFigures]:
    """Figures of each target, that of the score first; a target without any is left out."""
    found = [
        _of_target(table, name, task, main=not n) for n, (name, task) in enumerate(tasks.items())
    ]
    return [each for each in found if each.compared or each.each]


def _of_target(table: Table, name: str, task: Task, *, main: bool) -> TargetFigures:
    """The figures of a target.

    But for the main one, systems that say the same share their figures, as those that begin with
    the same regressor, and do not train it on; and what follows from another target has none.
    """
    with_target = [
        line
        for line in table.judged
        if name in _facts(table, line)
        and not any(name in cell.judged.scores for cell in _cells(table, line))
    ]
    if not with_target:  # of a kept copy, which has the scores of maps alone
        return TargetFigures("", (), (), "")
    compared = task.comparison_figures(_systems(table, with_target, name))
    own = [line for line in with_target if main or _facts(table, line)[name].source == "head"]
    groups: dict[bytes, list[Line]] = {}
    for number, line in enumerate(own):
        values = b"".join(cell.judged.targets[name].value.tobytes() for cell in _cells(table, line))
        groups.setdefault(str(number).encode() if main else values, []).append(line)
    each, notes = [], dict[str, None]()
    for lines in groups.values():
        judged = pooled([cell.judged.targets[name] for cell in _cells(table, lines[0])])
        titles = "; ".join(line.title for line in lines)
        for drawn in task.figures(judged, task.metrics(judged)):
            if drawn.name in (task.summary_figures or {drawn.name}):
                notes[drawn.caption] = None
                text = f"{titles}: {drawn.alt or drawn.caption}"
                each.append(picture(drawn.figure, text, f"{titles}, {_seeds(lines[0])}"))
    words = next((_facts(table, line)[name].words for line in with_target), name)
    return TargetFigures(
        "How classes are told" if name == LABEL else f"How {words} is told",
        tuple(
            picture(drawn.figure, drawn.alt or drawn.caption, drawn.caption) for drawn in compared
        ),
        tuple(each),
        " ".join(notes),
    )


def pooled(judged: Sequence[EvaluatedEstimates]) -> EvaluatedEstimates:
    """What several trainings said of the same patterns, as if one had said it."""
    first = judged[0]
    known = [each.probabilities for each in judged if each.probabilities is not None]
    groups = [each.group for each in judged if each.group is not None]
    return EvaluatedEstimates(
        target=first.target,
        truth=np.concatenate([each.truth for each in judged]),
        value=np.concatenate([each.value for each in judged]),
        probabilities=np.concatenate(known) if len(known) == len(judged) else None,
        specimen=np.concatenate([each.specimen for each in judged]),
        group=np.concatenate(groups) if len(groups) == len(judged) else None,
        group_names=first.group_names,
    )


def _systems(table: Table, lines: Sequence[Line], name: str) -> list[EvaluatedSystem]:
    """What each system said of a target, with the metrics that the table has."""
    shown = _highlighted(table)
    return [
        EvaluatedSystem(
            line.title,
            line.system in shown,
            tuple(
                (cell.judged.targets[name], _Numbers(cell, name)) for cell in _cells(table, line)
            ),
        )
        for line in lines
    ]


class _Numbers(dict[str, float | None]):
    """Metrics of a target by name, from the columns of the table."""

    def __init__(self, cell: CellResult, target: str) -> None:
        super().__init__()
        self._cell, self._target = cell, target

    def __missing__(self, name: str) -> float | None:
        return self._cell.number(column_of(self._target, name))


def _highlighted(table: Table) -> set[str]:
    """Systems with a colour of their own, by name: the reference, and the best."""
    goodness = table.comparison.score.goodness
    ranked = sorted(
        table.judged,
        key=lambda line: (
            not line.is_reference,
            -goodness(line.score.value) if line.score else 0.0,
        ),
    )
    return {line.system for line in ranked[:_TOLD_APART]}


def _cells(table: Table, line: Line) -> tuple[CellResult, ...]:
    return table.comparison.cells[line.system]


def _facts(table: Table, line: Line) -> Mapping[str, EvaluatedTarget]:
    return _cells(table, line)[0].facts.targets


def _seeds(line: Line) -> str:
    return "one seed" if len(line.seeds) == 1 else f"{len(line.seeds)} seeds together"
