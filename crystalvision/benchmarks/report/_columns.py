"""Metrics that a table of systems shows beside the score."""

from collections.abc import Mapping
from dataclasses import dataclass

from crystalvision.benchmarks._rows import column_of
from crystalvision.contracts import Target, Task


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """A metric of a target.

    Attributes:
        name: The column of `results.csv` that it stands in.
        target: Name of the target.
        title: What the page calls it.
        short: What a table for a paper calls it.
        meaning: What an abbreviation in `short` stands for, or "".
    """

    name: str
    target: str
    title: str
    short: str
    meaning: str


def shown_columns(
    tasks: Mapping[str, Task], targets: Mapping[str, Target]
) -> tuple[MetricColumn, ...]:
    """The headline of each target, without the score of the first, which stands by itself.

    Args:
        tasks: What judges each target, by its name; the one that systems are compared by first.
        targets: The targets.
    """
    main, found = next(iter(tasks), ""), []
    for name, task in tasks.items():
        of = "" if name == main else f"{targets[name].words} "
        for metric in task.shown:
            if (name, metric) == (main, task.score_name):
                continue
            title, short = task.title(metric, targets[name]), task.short.get(metric)
            meaning = f"{short}: {metric.replace('_', ' ')}." if short and short.isupper() else ""
            found.append(
                MetricColumn(
                    column_of(name, metric), name, of + title, of + (short or title), meaning
                )
            )
    return tuple(found)
