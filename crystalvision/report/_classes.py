"""Metrics of each class, of all runs beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from crystalvision.report._results import Result
from crystalvision.report._template import number


@dataclass(frozen=True, slots=True)
class ClassTable:
    """How well the classes of a target are told.

    Attributes:
        target: The target in words.
        titles: What its columns are called.
        rows: For each class, a run and its numbers in each row, as texts.
    """

    target: str
    titles: tuple[str, ...]
    rows: dict[str, list[tuple[str, list[str]]]]


def class_tables(results: Sequence[Result]) -> list[ClassTable]:
    """A table for each target that has classes, and metrics of each of them."""
    names = dict.fromkeys(
        evaluated.name
        for result in results
        for evaluated, _, _ in result.targets
        if evaluated.classes
    )
    found = (_table(name, results) for name in names)
    return [table for table in found if table.titles]


def _table(target: str, results: Sequence[Result]) -> ClassTable:
    """Metrics that have a number for each class of the target, other targets' among them."""
    titles: dict[tuple[str, str], str] = {}
    rows: dict[str, list[tuple[str, list[str]]]] = {}
    judging = [result for result in results if target in result.metrics.targets]
    for result in judging:
        classes = result.metrics.targets[target].classes
        for evaluated, task, _ in result.targets:
            of = "" if evaluated.name == target else f"{evaluated.words} "
            for name, values in evaluated.metrics.items():
                if isinstance(values, dict) and tuple(values) == classes:
                    titles.setdefault((evaluated.name, name), of + task.title(name, evaluated))
    for result in judging:
        for each in result.metrics.targets[target].classes:
            cells = [_cell(result, of, name, each) for of, name in titles]
            rows.setdefault(each, []).append((result.name, cells))
    words = judging[0].metrics.targets[target].words if judging else target
    return ClassTable(words, tuple(titles.values()), rows)


def _cell(result: Result, target: str, metric: str, of: str) -> str:
    evaluated = result.metrics.targets.get(target)
    value = evaluated.metrics.get(metric, {}).get(of) if evaluated else None
    return number(value, 0 if isinstance(value, int) else 3)
