"""Puts the page together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crystalvision.figures import drawing
from crystalvision.report import _again as again
from crystalvision.report._data import describe_data, distinct_datasets
from crystalvision.report._figures import (
    bland_altman_picture,
    confusion_picture,
    reliability_picture,
    roc_picture,
    severity_picture,
)
from crystalvision.report._pictures import Picture
from crystalvision.report._results import Result
from crystalvision.report._statistics import ClassRow, class_rows
from crystalvision.report._table import Row, row_of, same_data
from crystalvision.report._template import TEMPLATES, fill
from crystalvision.report._training_figures import training_pictures
from crystalvision.report._write import GENERATOR

OnStep = Callable[[], None]


@dataclass(frozen=True, slots=True)
class RunSection:
    """One run on the page.

    Attributes:
        row: Its row of the comparison.
        pictures: How well it tells classes and severity.
        training: How its training went, phase by phase.
        classes: How well it tells each class.
        file: What the commands call its experiment.
        experiment: Its experiment, as YAML.
    """

    row: Row
    pictures: tuple[Picture, ...]
    training: tuple[Picture, ...]
    classes: tuple[ClassRow, ...]
    file: str
    experiment: str


def steps(results: Sequence[Result]) -> int:
    """How often `render` calls its `on_step`."""
    return len(distinct_datasets(results)) + len(results)


def render(results: Sequence[Result], *, on_step: OnStep = lambda: None) -> str:
    """The page about some runs: one HTML document that asks for nothing from elsewhere.

    Two calls with the same results give the same text.

    Args:
        results: The runs, at least one.
        on_step: Called as the work proceeds, `steps(results)` times.
    """
    data, sections = [], []
    with drawing():
        for result in distinct_datasets(results):
            data.append(describe_data(result))
            on_step()
        for result in results:
            sections.append(_section(result))
            on_step()
    texts = [again.recipe_text(each) for each in data]
    return fill(
        "report.html",
        [TEMPLATES],
        generator=GENERATOR,
        title=", ".join(dict.fromkeys(each.name for each in data)),
        data=data,
        sections=sections,
        same_data=same_data([section.row for section in sections]),
        class_table=_class_table(sections),
        recipes=list(zip(again.recipe_files(data), data, texts, strict=True)),
        commands=again.commands(data, results),
        environments=again.environments(results),
        parts=again.parts(results),
        machine=again.machine(),
    )


def _section(result: Result) -> RunSection:
    metrics, judged = result.metrics, result.judged
    return RunSection(
        row=row_of(result),
        pictures=(
            confusion_picture(metrics),
            roc_picture(metrics, judged),
            reliability_picture(metrics, judged),
            bland_altman_picture(metrics, judged),
            severity_picture(metrics, judged),
        ),
        training=tuple(training_pictures(result)),
        classes=tuple(class_rows(metrics, judged)),
        file=again.experiment_file(result),
        experiment=again.experiment_text(result),
    )


def _class_table(sections: Sequence[RunSection]) -> dict[str, list[tuple[str, ClassRow]]]:
    """The runs' rows of each class, each after the run's name."""
    table: dict[str, list[tuple[str, ClassRow]]] = {}
    for section in sections:
        for line in section.classes:
            table.setdefault(line.name, []).append((section.row.name, line))
    return table
