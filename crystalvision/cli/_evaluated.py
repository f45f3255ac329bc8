"""Prints what an evaluation found."""

from typing import TYPE_CHECKING

from crystalvision.console import out
from crystalvision.text import MOST_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import Task
    from crystalvision.evaluation import FlagShare, Metrics, TargetMetrics
    from crystalvision.plugins import Catalogue

_LARGEST = 15  # numbers of a larger matrix that are shown


def print_metrics(metrics: "Metrics", catalogue: "Catalogue") -> None:
    """Print how well a run tells each target, and on what."""
    from crystalvision.evaluation import tasks_of

    tasks = tasks_of({name: each.target for name, each in metrics.targets.items()}, catalogue)
    of = "" if metrics.subset is None else f" of a subset of {metrics.subset.samples}"
    out.print(f"{metrics.samples} patterns, split {metrics.split}{of}")
    for name, each in metrics.targets.items():
        out.print()
        out.print(_table(each, tasks[name]))
        for matrix in _matrices(each):
            out.print()
            out.print(matrix)
    out.print()
    for line in _notes(metrics):
        out.print(line, soft_wrap=True, markup=False)


def _table(evaluated: "TargetMetrics", task: "Task") -> "Table":
    """Every number of a target with its interval."""
    from rich.table import Table

    from crystalvision.console import styled
    from crystalvision.text import unit_text

    units = f" [{unit_text(evaluated.units)}]" if unit_text(evaluated.units) else ""
    table = Table(title=styled(f"{evaluated.name}: {evaluated.task}{units}"), box=None)
    table.add_column("", overflow="fold")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    of_classes = 0
    for name, value in evaluated.numbers().items():
        if "." in name and len(evaluated.classes) > MOST_CLASSES:
            of_classes += 1
            continue
        table.add_row(task.title(name, evaluated), _number(value), _interval(evaluated, name))
    if of_classes:
        table.add_row(f"{of_classes:,} numbers of {len(evaluated.classes):,} classes", "–")
        table.caption = "numbers of single classes: --json, and metrics.json"
    return table


def _matrices(evaluated: "TargetMetrics") -> "Iterator[Table]":
    """Metrics that are a matrix of the classes, such as a confusion matrix."""
    count = len(evaluated.classes)
    for name, rows in evaluated.metrics.items():
        if isinstance(rows, list) and [len(row) for row in rows] == [count] * count:
            draw = _matrix if count <= MOST_CLASSES else _largest
            yield draw(name, evaluated.classes, rows)


def _matrix(name: str, classes: "Sequence[str]", rows: "Sequence[Sequence[float]]") -> "Table":
    from rich.table import Table

    table = Table(title=f"{name}: actual class (row), predicted class (column)", box=None)
    table.add_column("", overflow="fold")
    for each in classes:
        table.add_column(each, justify="right", overflow="fold")
    for each, row in zip(classes, rows, strict=True):
        table.add_row(each, *map(str, row))
    return table


def _largest(name: str, classes: "Sequence[str]", rows: "Sequence[Sequence[float]]") -> "Table":
    """What lies off the diagonal of a matrix that is too large to be shown."""
    from rich.table import Table

    off = [
        (value, actual, said)
        for actual, row in zip(classes, rows, strict=True)
        for said, value in zip(classes, row, strict=True)
        if value and actual != said
    ]
    off.sort(key=lambda each: -each[0])
    shown = off[:_LARGEST]
    left = f"; the first {len(shown)} of {len(off)}" if len(off) > len(shown) else ""
    table = Table(title=f"{name}: the largest numbers of different classes{left}", box=None)
    table.add_column("actual class", overflow="fold")
    table.add_column("predicted class", overflow="fold")
    table.add_column(name, justify="right")
    for value, actual, said in shown:
        table.add_row(actual, said, str(value))
    return table


def _notes(metrics: "Metrics") -> list[str]:
    intervals = metrics.main.intervals
    how = f"of proportions Wilson's, others of {intervals.resamples} resamples"
    lines = [
        *metrics.conditions.notes,
        f"intervals of {intervals.units} {intervals.unit}s: {how}",
        *(f"{name} from {_source(each)}" for name, each in metrics.targets.items()),
        f"{metrics.images_per_second:.1f} images per second on {metrics.device}",
    ]
    if metrics.rejected is not None:
        ends = metrics.rejected_interval
        range_ = f" (95 % interval {ends[0]:.1%} to {ends[1]:.1%})" if ends else ""
        lines.append(
            f"{metrics.rejected:.1%} of the patterns{range_} are flagged as unlike the training "
            "data"
        )
    return lines + _flag_notes(metrics)


def _flag_notes(metrics: "Metrics") -> list[str]:
    """How many patterns are undecided, and what flags are worth."""
    counted = metrics.flagged
    if counted is None:
        return []
    lines = []
    if undecided := counted.all.flags.get("undecided"):
        lines.append(f"{_share(undecided)} of the patterns are undecided between classes")
    for told, some in (("wrongly", counted.wrong), ("rightly", counted.right)):
        if some.patterns:
            shares = ", ".join(f"{kind} {_share(each)}" for kind, each in some.flags.items())
            lines.append(f"of the {some.patterns} told {told}: {shares}")
    return lines


def _share(flag: "FlagShare") -> str:
    ends = flag.interval
    range_ = f" (95 % interval {ends[0]:.1%} to {ends[1]:.1%})" if ends else ""
    return f"{flag.share:.1%}{range_}"


def _source(evaluated: "TargetMetrics") -> str:
    scaled = evaluated.temperature
    calibrated = "" if scaled is None else f", calibrated with temperature {scaled:.3f}"
    return f"{evaluated.source.replace('_', ' ')}{calibrated}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _interval(evaluated: "TargetMetrics", name: str) -> str:
    ends = evaluated.intervals.of(name)
    if name in evaluated.intervals.all_the_same:
        return "none: every resample is the same"
    return "" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
