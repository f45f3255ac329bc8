"""Tables for a paper, as GitHub shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from crystalvision.benchmarks.report._answers import p_text, score_text
from crystalvision.benchmarks.report._bounds import upper_at
from crystalvision.benchmarks.report._growth import by_curves, label_of, last_steps, size_groups
from crystalvision.benchmarks.report._lines import Line, Table
from crystalvision.benchmarks.report._results import Results
from crystalvision.benchmarks.report._score import capital
from crystalvision.benchmarks.report._statistics import Estimate
from crystalvision.benchmarks.report._ticks import power_text
from crystalvision.report import number
from crystalvision.text import code, inline

_VERSIONS = ("crystalvision", "torch", "python")


def render_markdown(results: Results) -> str:
    """The table with its caption, and below it claims, last enlargements, and the `by` column.

    Two calls with the same results give the same text.
    """
    shown = results.main if results.tests else results.tables  # the rest is in the table of tests
    several, score = len(shown) > 1, results.benchmark.score
    columns = shown[0].columns if shown else ()
    heads = (["trained on", "tested on"] if several else []) + [
        "system",
        "seeds",
        score.name if score else "score",
        "95 % interval",
        *(column.short for column in columns),
        f"difference{score.in_brackets if score else ''}",
        "p",
        "",
        "parameters",
    ]
    rows = [row for table in shown for row in _rows(results, table, several)]
    rows += [_lost(results, row, several, len(columns)) for row in results.lost]
    lines = [_line(heads), _line(["---"] * len(heads)), *(_line(row) for row in rows)]
    parts = [_caption(results), "\n".join(lines), *_claims(results)]
    parts += [*_across(results), *_tests(results)]
    parts += [*_growth(results), *_by_values(results)]
    return "\n\n".join(parts) + "\n"


def _rows(results: Results, table: Table, several: bool) -> list[list[str]]:
    comparison = table.comparison
    where = (
        [
            f"{inline(comparison.trained_on)}, {comparison.train_patterns:,}",
            inline(comparison.tested_on),
        ]
        if several
        else []
    )
    rows = [[*where, *_cells(line, table)] for line in table.lines]
    limit = results.limits.get(comparison.tested_on)
    if limit is not None:
        ends = f"{limit.upper.low:.3f}–{limit.upper.high:.3f}"
        bound = ["*upper bound*", "", f"{limit.upper.value:.3f}", ends]
        rows.append([*where, *bound, *[""] * (4 + len(table.columns))])
    return rows


def _claims(results: Results) -> list[str]:
    """A caption and a table for each main comparison, where the suite has claims."""
    parts = []
    for table, claims in results.claims:
        score = table.comparison.score
        heads = ["claim", "found here", f"difference{score.in_brackets}", "p"]
        heads += ["printed", "recomputed"] if results.published else []
        rows = []
        for claim in claims:
            tested = claim.difference
            row = [inline(claim.text), claim.answer]
            row += (
                [score.difference(tested.estimate), p_text(tested.corrected)]
                if tested
                else ["–"] * 2
            )
            if results.published:
                row += [score.gain(claim.printed), score.gain(claim.recomputed)]
            rows.append(_line(row))
        name = inline(table.comparison.name)
        parts += [
            f"What is claimed, {name}; p is corrected after Holm for the claims.",
            "\n".join([_line(heads), _line(["---"] * len(heads)), *rows]),
        ]
    return parts


def _across(results: Results) -> list[str]:
    """A caption and a table of claims that name training and test data."""
    score = results.benchmark.score
    if not results.across or score is None:
        return []
    rows = []
    for claim in results.across:
        tested = claim.difference
        numbers = (
            [score.difference(tested.estimate), p_text(tested.corrected)] if tested else ["–"] * 2
        )
        rows.append(_line([inline(claim.text), claim.answer, *numbers]))
    heads = ["claim", "found here", f"difference{score.in_brackets}", "p"]
    caption = (
        "What is claimed across training and test data, on the same poses of the same crystals; p "
        "is corrected after Holm for these claims."
    )
    return [
        caption,
        "\n".join([_line(heads), _line(["---"] * len(heads)), *rows]),
    ]


def _tests(results: Results) -> list[str]:
    """A caption and a table with a row for each test."""
    table = results.tests
    if table is None:
        return []
    heads = ["test", "printed", *(inline(column.name) for column in table.columns)]
    rows = [
        _line(
            [
                inline(row.title),
                inline(row.printed) or "–",
                *(
                    column.cells[row.name].text if row.name in column.cells else "–"
                    for column in table.columns
                ),
            ]
        )
        for row in table.rows
    ]
    printed = f" Printed: {inline(table.source)}." if table.source else ""
    caption = (
        "Every test: score with its 95 % interval, share of whole specimens whose class is told "
        f"right, share of the patterns flagged as unlike the training data.{printed}"
    )
    return [
        caption,
        "\n".join([_line(heads), _line(["---"] * len(heads)), *rows]),
    ]


def _growth(results: Results) -> list[str]:
    """A caption and a table for each set of training data that comes in several sizes."""
    parts = []
    for group in size_groups(results.tables):
        steps = last_steps(group)
        if not steps:
            continue
        score = group[-1].comparison.score
        heads = ["system", f"difference{score.in_brackets}", "p", ""]
        rows = [
            [
                inline(step.title),
                score.difference(step.difference.estimate),
                p_text(step.difference.corrected),
                step.difference.word,
            ]
            for step in steps
        ]
        comparison = group[-1].comparison
        caption = (
            f"What the step from {steps[0].before:,} to {steps[0].after:,} training patterns gave, "
            f"trained on {inline(comparison.trained_on)}, tested on "
            f"{inline(comparison.tested_on)}; p is corrected "
            f"after Holm for {len(steps)} systems."
        )
        table = "\n".join([_line(heads), _line(["---"] * len(heads)), *map(_line, rows)])
        parts += [caption, table]
    return parts


def _by_values(results: Results) -> list[str]:
    """A caption and a table for each main comparison, where the suite has a `by` column."""
    column = results.benchmark.suite.by
    parts = []
    for table in results.main if column else ():
        curves = by_curves(table)
        if not curves or not column:
            continue
        values = list(curves[0].points)
        rows = [
            [inline(curve.title), *(_estimate(curve.points[value]) for value in values)]
            for curve in curves
        ]
        limit = results.limits.get(table.comparison.tested_on)
        if limit is not None and limit.curve(column):
            bounds = [upper_at(limit.curve(column), value) for value in values]
            rows.append(["*upper bound*", *map(number, bounds)])
        heads = ["system", *map(power_text, values)]
        name = inline(f"{label_of(column)}, {table.comparison.name}")
        score = capital(table.comparison.score.name)
        parts += [
            f"{score} against {name}: mean over seeds, with its 95 % interval.",
            "\n".join([_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]),
        ]
    return parts


def _estimate(estimate: Estimate) -> str:
    return f"{number(estimate.value)} ({number(estimate.low)}–{number(estimate.high)})"


def _cells(line: Line, table: Table) -> list[str]:
    failed = "; ".join(f"seed {row.seed}: {row.status}" for row in line.failures)
    seeds = str(len(line.seeds)) + (f" ({failed})" if failed else "")
    if line.score is None:
        return [inline(line.title), seeds, *["–"] * (6 + len(table.columns))]
    return [
        inline(line.title),
        seeds,
        score_text(line),
        f"{line.score.low:.3f}–{line.score.high:.3f}",
        *(
            number(line.numbers[column.name]) + ("\\*" if column.name in line.derived else "")
            for column in table.columns
        ),
        *_difference(line, table),
        number(line.parameters, 0),
    ]


def _difference(line: Line, table: Table) -> list[str]:
    if line.difference is None:
        return ["–", "–", "reference" if line.is_reference else "not compared"]
    difference = line.difference
    text = table.comparison.score.difference(difference.estimate)
    return [text, p_text(difference.corrected), difference.word]


def _lost(results: Results, row: Any, several: bool, columns: int) -> list[str]:
    trained_on = f"{inline(row.trained_on)}, {row.train_patterns:,}"
    where = [trained_on, inline(row.tested_on) or "–"] if several else []
    title = inline(results.benchmark.title(row.system))
    return [*where, title, f"0 (seed {row.seed}: {row.status})", *["–"] * (6 + columns)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _caption(results: Results) -> str:
    benchmark = results.benchmark
    suite = benchmark.suite
    seeds = ", ".join(str(seed) for seed in suite.seeds)
    budget = f", budget {code(benchmark.budget)}" if benchmark.budget else ""
    parts = [f"**{inline(suite.title)}** Suite {code(suite.name)}{budget}, seeds {seeds}."]
    for table in results.main:
        comparison = table.comparison
        parts.append(
            f"{inline(comparison.name[:1].upper() + comparison.name[1:])} "
            f"({comparison.patterns:,} patterns{_dose(results, comparison.trained_on)})."
        )
    reference, score = inline(benchmark.title(suite.compare_with)), benchmark.score
    columns = results.tables[0].columns if results.tables else ()
    test = "exact" if score is None or score.is_share else "sampled"
    notes = [column.meaning for column in columns if column.meaning]
    if len(benchmark.tasks) > 1:
        notes.append("\\* from the classes' probabilities, not from a regression.")
    how = (
        f"{capital(score.name) if score else 'The score'} is the mean ± standard deviation over "
        "seeds; intervals are 95 % bootstrap intervals over test patterns and seeds. Differences "
        f"are from {reference}, on the same patterns and seeds; p is of the {test} paired "
        f"sign-flip test, corrected after Holm for {results.differences} comparisons."
    )
    parts += [how, *notes]
    versions = _versions(results)
    if versions:
        parts.append(f"Made with {inline(versions)}.")
    return " ".join(parts)


def _dose(results: Results, dataset: str) -> str:
    for row in results.benchmark.rows:
        run = results.benchmark.runs.get(row.run)
        if row.trained_on == dataset and run is not None:
            dose = run.dose
            return (
                f", dose {inline(_dose_text(dose))} electrons a pattern" if dose is not None else ""
            )
    return ""


def _dose_text(dose: Any) -> str:
    if isinstance(dose, int | float):
        return f"{dose:,.0f}"
    if isinstance(dose, Mapping):
        return "; ".join(
            f"{kind}: " + ", ".join(f"{value:,.0f}" for value in values)
            for kind, values in dose.items()
            if isinstance(values, list | tuple)
        )
    return str(dose)


def _versions(results: Results) -> str:
    """What the runs were made with; several versions where they differ."""
    found: dict[str, dict[str, None]] = {}
    for record in results.benchmark.runs.values():
        for name in _VERSIONS:
            if name in record.environment:
                found.setdefault(name, {})[record.environment[name]] = None
    return ", ".join(f"{name} {' and '.join(versions)}" for name, versions in found.items())
