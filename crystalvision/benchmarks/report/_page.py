"""Puts the page together."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks.report import _answers as answers
from crystalvision.benchmarks.report import _reproduce as again
from crystalvision.benchmarks.report._cost_figures import cost_pictures
from crystalvision.benchmarks.report._growth import (
    Step,
    by_curves,
    label_of,
    last_steps,
    size_curves,
    size_groups,
)
from crystalvision.benchmarks.report._growth_figures import by_picture, size_picture
from crystalvision.benchmarks.report._lines import Table
from crystalvision.benchmarks.report._published import MEASURES
from crystalvision.benchmarks.report._results import Results
from crystalvision.benchmarks.report._score import capital
from crystalvision.benchmarks.report._score_figures import score_picture, transfer_picture
from crystalvision.benchmarks.report._statistics import PERMUTATIONS, RESAMPLES
from crystalvision.benchmarks.report._target_figures import TargetFigures, target_figures
from crystalvision.benchmarks.report._test_figures import curve_pictures
from crystalvision.figures import drawing
from crystalvision.plugins import Catalogue
from crystalvision.report import TEMPLATES, Picture, data_uri, fill, machine

GENERATOR = "crystalvision benchmark"
OnStep = Callable[[], None]
_OWN_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Section:
    """The figures of one comparison.

    Attributes:
        table: Its table.
        score: All systems beside each other.
        targets: How each target is told.
        cost: Score against cost.
    """

    table: Table
    score: Picture
    targets: tuple[TargetFigures, ...]
    cost: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """The score along the training data's size: the figure, and what the last step gave."""

    picture: Picture
    steps: tuple[Step, ...]
    sentences: tuple[str, ...]


def render_page(results: Results, catalogue: Catalogue, on_step: OnStep) -> str:
    """The page of a benchmark: one HTML document that asks for nothing from elsewhere."""
    benchmark = results.benchmark
    with drawing():
        sections = [_section(results, table, on_step) for table in results.main]
        growth = _growth(results)
        by = _by(results)
        largest = _of_largest_training(results)
        drawn = [transfer_picture(largest, name) for name in benchmark.suite.systems]
        curves = _curves(results)
    on_step()
    return fill(
        "benchmark.html",
        [_OWN_TEMPLATES, TEMPLATES],
        generator=GENERATOR,
        suite=benchmark.suite,
        budget=benchmark.budget,
        answers=[
            (table.comparison, answers.answer(table, results.limits)) for table in results.main
        ],
        failures=answers.failures_sentence(benchmark),
        results=results,
        sections=sections,
        growth=growth,
        by=by,
        by_label=label_of(benchmark.suite.by or ""),
        transfer=[each for each in drawn if each is not None],
        carried=[]
        if results.tests
        else answers.carry_sentences(largest, benchmark.suite.compare_with),
        curves=curves,
        pictures=_pictures(benchmark.folder),
        measures=MEASURES,
        resamples=RESAMPLES,
        permutations=PERMUTATIONS,
        score=benchmark.score,
        capital=capital,
        p_equals=answers.p_equals,
        score_text=answers.score_text,
        title_of=benchmark.title,
        whole_command=again.whole_command(benchmark),
        preparation=again.preparation(benchmark),
        dataset_commands=again.dataset_commands(benchmark),
        systems=again.systems_again(benchmark),
        environment=again.environment_facts(benchmark.environment),
        parts=_parts(results, catalogue),
        machine=machine(),
    )


def _section(results: Results, table: Table, on_step: OnStep) -> Section:
    targets = tuple(target_figures(table, results.benchmark.tasks))
    on_step()
    cost = tuple(cost_pictures(table))
    on_step()
    limit = results.limits.get(table.comparison.tested_on)
    return Section(table, score_picture(table, limit), targets, cost)


def _curves(results: Results) -> list[tuple[str, Picture]]:
    score = results.benchmark.score
    if results.tests is None or score is None:
        return []
    return curve_pictures(results.benchmark.suite.curves, results.tests, score)


def _pictures(folder: Path) -> str:
    """The picture of every test as a part of the page, or ""."""
    path = BenchmarkFolder(folder).pictures
    return data_uri(path.read_bytes(), "image/png") if path.is_file() else ""


def _growth(results: Results) -> list[Growth]:
    found = []
    for group in size_groups(results.tables):
        comparison = group[-1].comparison
        steps = last_steps(group)
        found.append(
            Growth(
                size_picture(
                    size_curves(group),
                    comparison.score,
                    comparison.trained_on,
                    comparison.tested_on,
                ),
                tuple(steps),
                tuple(answers.growth_sentence(steps, comparison.score, comparison.tested_on)),
            )
        )
    return found


def _by(results: Results) -> list[tuple[Table, Picture, str]]:
    column = results.benchmark.suite.by
    found = []
    for table in results.main if column else ():
        curves = by_curves(table)
        if curves and column:
            tested_on, score = table.comparison.tested_on, table.comparison.score
            limit = results.limits.get(tested_on)
            sentence = answers.by_sentence(curves, score, column, limit)
            found.append((table, by_picture(curves, score, column, limit, tested_on), sentence))
    return found


def _of_largest_training(results: Results) -> list[Table]:
    """One table for each pair of training and test data."""
    largest: dict[tuple[str, str], Table] = {}
    for table in sorted(results.tables, key=lambda each: each.comparison.train_patterns):
        largest[table.comparison.trained_on, table.comparison.tested_on] = table
    return [table for table in results.tables if table in largest.values()]


def _parts(results: Results, catalogue: Catalogue) -> dict[str, str]:
    """Who gave each part of the systems: kind and name → distribution and version, or several."""
    found: dict[str, dict[str, None]] = {}
    for record in results.benchmark.runs.values():
        for plugin in record.plugins:
            gone = "" if catalogue.has(plugin.kind, plugin.name) else " (not there any more)"
            origin = f"{plugin.distribution} {plugin.version}".strip()
            found.setdefault(f"{plugin.kind} {plugin.name}", {})[f"{origin}{gone}"] = None
    return {part: "; ".join(origins) for part, origins in found.items()}
