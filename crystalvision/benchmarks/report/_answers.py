"""What a benchmark found, in sentences; none says more than the test behind it."""

from collections.abc import Mapping, Sequence

from crystalvision.benchmarks.report._bounds import Limit, upper_at
from crystalvision.benchmarks.report._cost import key_of
from crystalvision.benchmarks.report._growth import Curve, Step, label_of
from crystalvision.benchmarks.report._lines import ALPHA, NO_DIFFERENCE, ONE_TRAINING, Line, Table
from crystalvision.benchmarks.report._load import LoadedBenchmark
from crystalvision.benchmarks.report._score import Score
from crystalvision.benchmarks.report._ticks import power_text

_WITH_NUMBERS = 4  # systems whose differences a sentence can hold; the table has them all


def answer(table: Table, limits: Mapping[str, Limit]) -> list[str]:
    """What one comparison found: a few sentences."""
    sentences = [_best(table), *_against_reference(table)]
    limit = limits.get(table.comparison.tested_on)
    if limit is not None:
        sentences.append(_distance(table, limit))
    return sentences


def failures_sentence(benchmark: LoadedBenchmark) -> str:
    """How many cells there were, and how many failed."""
    cells = {key_of(row) for row in benchmark.rows}
    failed = {key_of(row) for row in benchmark.failures}
    if not failed:
        return f"All {len(cells)} cells went well."
    verb = "is" if len(failed) == 1 else "are"
    return f"{len(failed)} of {len(cells)} cells failed and {verb} listed below."


def growth_sentence(steps: Sequence[Step], score: Score, tested_on: str) -> list[str]:
    """Whether the score still changes at the largest training size, system by system."""
    unit = f" {score.unit}" if score.unit else ""
    return [
        f"From {step.before:,} to {step.after:,} training patterns the {score.name} of {step.title}"
        f" on {tested_on} changes by {score.difference(step.per_doubling)}{unit} for each doubling:"
        f" {_growth(step)}."
        for step in steps
    ]


def carry_sentences(tables: Sequence[Table], system: str) -> list[str]:
    """What a system reaches on each test, for training data that are tested on several."""
    by_training: dict[str, list[tuple[str, Line]]] = {}
    for table in tables:
        for line in table.judged:
            if line.system == system:
                comparison = table.comparison
                by_training.setdefault(comparison.trained_on, []).append(
                    (comparison.tested_on, line)
                )
    return [
        f"Trained on {trained_on}, {found[0][1].title} reaches "
        f"{_listed([f'{_with_interval(line)} on {tested_on}' for tested_on, line in found])}."
        for trained_on, found in by_training.items()
        if len(found) > 1
    ]


def by_sentence(curves: Sequence[Curve], score: Score, column: str, limit: Limit | None) -> str:
    """What the ends of a curve are: the best system there, and the upper bound."""
    places = sorted({place for curve in curves for place in curve.points})
    ends = []
    for place in dict.fromkeys((places[0], places[-1])):
        known = [curve for curve in curves if place in curve.points]
        best = max(known, key=lambda curve: score.goodness(curve.points[place].value))
        upper = upper_at(limit.curve(column), place) if limit is not None else None
        bound = "" if upper is None else f" (upper bound {upper:.3f})"
        value = best.points[place].value
        ends.append(f"{value:.3f} at {power_text(place)}, by {best.title}{bound}")
    return f"Along {label_of(column)}, the {score.best} {score.name} is {_listed(ends)}."


def score_text(line: Line) -> str:
    """Such as `0.934 ± 0.006`, or without the spread of a single seed."""
    if line.score is None:
        return "–"
    spread = "" if line.spread is None else f" ± {line.spread:.3f}"
    return f"{line.score.value:.3f}{spread}"


def p_text(p: float) -> str:
    """A p-value, such as `0.031` or `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_equals(p: float) -> str:
    """Such as `p = 0.031` or `p < 0.001`."""
    text = p_text(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _best(table: Table) -> str:
    best, reference = table.best, table.reference
    score = table.comparison.score
    text = f"{best.title} has the {score.best} mean {score.name}, {_with_interval(best)}"
    ties = [line for line in table.judged if line is not best]
    same = [line.title for line in ties if _same(line, best)]
    if same:
        text += f", as have {_listed(same)}"
    if reference is None:
        return f"{text}. The reference has no result here, so no difference is tested."
    if reference.system == best.system:
        return f"{text}; it is the reference."
    return f"{text}; the reference, {reference.title}, has {_with_interval(reference)}."


def _same(line: Line, best: Line) -> bool:
    return (
        line.score is not None and best.score is not None and line.score.value == best.score.value
    )


def _against_reference(table: Table) -> list[str]:
    compared = [line for line in table.judged if line.difference is not None]
    if table.reference is None or not compared:
        return []
    words: dict[str, list[Line]] = {}
    for line in compared:
        if line.difference is not None:
            words.setdefault(line.difference.word, []).append(line)
    sentences = []
    for word in ("better", "worse"):
        if word in words:
            few = len(words[word]) <= _WITH_NUMBERS
            lines = [
                f"{line.title} ({_difference(line, table)})" if few else line.title
                for line in words[word]
            ]
            sentences.append(f"Significantly {word} than the reference: {_listed(lines)}.")
    if len(words.get(NO_DIFFERENCE, [])) == len(compared):
        who = "The other system does not differ" if len(compared) == 1 else "No system differs"
        return [f"{who} significantly from it."]
    different = [*words.get("better", []), *words.get("worse", [])]
    if any(line.difference is not None and line.difference.seeds == 1 for line in different):
        sentences.append("With one seed this holds for these trainings only.")
    if NO_DIFFERENCE in words:
        lines = [line.title for line in words[NO_DIFFERENCE]]
        sentences.append(f"No significant difference is found for {_listed(lines)}.")
    if ONE_TRAINING in words:
        lines = [line.title for line in words[ONE_TRAINING]]
        sentences.append(
            f"As trained here, {_listed(lines)} would count as different, but not beyond what "
            "other seeds may give."
        )
    return sentences


def _distance(table: Table, limit: Limit) -> str:
    best = table.best
    if best.score is None:
        return ""
    gap = 100 * (limit.upper.value - best.score.value)
    side = "below" if gap >= 0 else "above"
    text = (
        f"The upper bound on {table.comparison.tested_on} is {limit.upper.value:.3f} "
        f"({limit.upper.low:.3f} to {limit.upper.high:.3f}); the best system is {abs(gap):.1f} "
        f"points {side} it"
    )
    if gap >= 0:
        return f"{text}."
    if best.score.low <= limit.upper.high:
        return f"{text}, which the intervals allow by chance."
    return f"{text}, which should not happen: look for test data among the training data."


def _growth(step: Step) -> str:
    estimate = step.difference.estimate
    p = p_equals(step.difference.corrected)
    if step.difference.corrected >= ALPHA:
        return f"no significant change ({p})"
    if step.difference.seeds == 1:
        p += ", of these trainings only"
    if estimate.low > 0:
        still = "still " if step.difference.higher_is_better else ""
        return f"it {still}rises ({p})"
    if estimate.high < 0:
        still = "" if step.difference.higher_is_better else "still "
        return f"it {still}falls ({p})"
    return f"a change as trained here ({p}), but not beyond what other seeds may give"


def _with_interval(line: Line) -> str:
    if line.score is None:
        return "–"
    return f"{score_text(line)} ({line.score.low:.3f} to {line.score.high:.3f})"


def _difference(line: Line, table: Table) -> str:
    if line.difference is None:
        return "–"
    score = table.comparison.score
    unit = f" {score.unit}" if score.unit else ""
    text = score.difference(line.difference.estimate)
    estimate = text.replace(" (", f"{unit}, ").removesuffix(")")
    return f"{estimate}, {p_equals(line.difference.corrected)}"


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    # A name with a comma of its own would look like two.
    between = "; " if any("," in name for name in names) else ", "
    return f"{between.join(names[:-1])} and {names[-1]}"
