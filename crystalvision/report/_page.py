"""Puts the page together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crystalvision.figures import drawing
from crystalvision.report import _reproduce as again
from crystalvision.report._classes import class_tables
from crystalvision.report._data import describe_data, distinct_datasets, open_dataset
from crystalvision.report._feature_map import MapMethod
from crystalvision.report._map import METHODS, map_figure, map_patterns
from crystalvision.report._pictures import Picture, picture
from crystalvision.report._results import Result
from crystalvision.report._table import Row, columns_of, row_of, same_data
from crystalvision.report._template import TEMPLATES, fill, number
from crystalvision.report._training_figures import training_pictures
from crystalvision.report._write import GENERATOR
from crystalvision.text import MOST_CLASSES

OnStep = Callable[[], None]
_SOURCES = {
    "class_expectation": "as the mean of the classes' severities, weighted by their probabilities",
    "nearest_severity": "as that whose severity is nearest",
}


@dataclass(frozen=True, slots=True)
class RunSection:
    """One run on the page.

    Attributes:
        row: Its row of the comparison.
        score: The score of its main target, in words.
        sources: Which targets are not told by a head of their own, in words.
        pictures: How well it tells each target.
        training: How its training went, phase by phase.
        maps: Its test patterns in two dimensions, where that was asked for.
        file: What the commands call its experiment.
        experiment: Its experiment, as YAML.
    """

    row: Row
    score: str
    sources: tuple[str, ...]
    pictures: tuple[Picture, ...]
    training: tuple[Picture, ...]
    maps: tuple[Picture, ...]
    file: str
    experiment: str


def steps(results: Sequence[Result]) -> int:
    """How often `render` calls its `on_step`."""
    return len(distinct_datasets(results)) + len(results)


def render(
    results: Sequence[Result], *, map_by: MapMethod | None = None, on_step: OnStep = lambda: None
) -> str:
    """The page about some runs: one HTML document that asks for nothing from elsewhere.

    Two calls with the same results give the same text.

    Args:
        results: The runs, at least one.
        map_by: How to map the test patterns of each run; by default there is no map.
        on_step: Called as the work proceeds, `steps(results)` times.

    Raises:
        InputError: A map was asked for of data that are not there, or have no classes.
    """
    data, sections = [], []
    with drawing():
        for result in distinct_datasets(results):
            data.append(describe_data(result))
            on_step()
        for result in results:
            sections.append(_section(result, map_by))
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
        columns=columns_of(results),
        notes=_notes(results),
        class_tables=class_tables(results),
        most_classes=MOST_CLASSES,
        recipes=list(zip(again.recipe_files(data), data, texts, strict=True)),
        commands=again.commands(data, results),
        environments=again.environments(results),
        parts=again.parts(results),
        machine=again.machine(),
    )


def _section(result: Result, map_by: MapMethod | None) -> RunSection:
    return RunSection(
        row=row_of(result),
        score=_score(result),
        sources=tuple(
            f"{each.words} {_SOURCES.get(each.source, each.source.replace('_', ' '))}"
            for each, _, _ in result.targets
            if each.source != "head"
        ),
        pictures=tuple(
            picture(each.figure, each.alt or each.caption, each.caption)
            for evaluated, task, judged in result.targets
            for each in task.figures(judged, evaluated.metrics)
        ),
        training=tuple(training_pictures(result)),
        maps=() if map_by is None else (_map(result, map_by),),
        file=again.experiment_file(result),
        experiment=again.experiment_text(result),
    )


def _map(result: Result, method: MapMethod) -> Picture:
    """Where test patterns lie, by what the run makes of them and as they are."""
    dataset = open_dataset(result.record.dataset.path, result.record.dataset.identity)
    found = map_patterns(result.run, dataset, method)
    learnt = " learnt from training patterns" if method == "nca" else ""
    caption = (
        f"{len(found.label)} test patterns of {len(found.classes)} classes by {METHODS[method]}"
        f"{learnt}: of the features, and of the patterns as the network gets them."
    )
    return picture(map_figure(found), caption, caption)


def _score(result: Result) -> str:
    """Such as `accuracy 0.934 (0.910–0.951)`."""
    evaluated, task, _ = result.targets[0]
    ends = evaluated.intervals.of(task.score_name)
    within = f" ({number(ends[0])}–{number(ends[1])})" if ends else ""
    title = task.title(task.score_name, evaluated)
    return f"{title} {number(evaluated.metrics[task.score_name])}{within}"


def _notes(results: Sequence[Result]) -> list[str]:
    """What a reader must know of the metrics."""
    found = dict.fromkeys(task.note for result in results for _, task, _ in result.targets)
    return [note for note in found if note]
