"""Figures of the score against what a system costs."""

from collections.abc import Callable, Sequence

from crystalvision.benchmarks.report._lines import Line, Table
from crystalvision.benchmarks.report._score import capital
from crystalvision.benchmarks.report._ticks import scale_across
from crystalvision.figures import FAINT, look, new_figure
from crystalvision.report import Picture, picture
from crystalvision.text import figure_text

TrainingCost = Callable[[Line], float | None]
COSTS: tuple[tuple[str, str, TrainingCost], ...] = (
    ("epoch time", "epoch time [s]", lambda line: line.epoch_seconds),
    ("parameters", "trained parameters", lambda line: line.parameters),
    (
        "prediction time",
        "prediction time [ms a pattern]",
        lambda line: 1000 / line.images_per_second if line.images_per_second else None,
    ),
)


def cost_pictures(table: Table) -> list[Picture]:
    """Score against each cost that at least two systems have, with the Pareto front."""
    found = []
    for name, label, cost in COSTS:
        points = [
            (line, price, line.score.value)
            for line in table.judged
            if line.score is not None and (price := cost(line)) is not None
        ]
        if len(points) > 1:
            found.append(_picture(table, name, label, points))
    return found


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Places of the points that no other beats in cost or value without losing in the other.

    Args:
        points: Cost, the less the better, and value, the more the better.

    Returns:
        Their places, by cost.
    """
    front: list[int] = []
    best = float("-inf")
    for place in sorted(range(len(points)), key=lambda each: (points[each][0], -points[each][1])):
        if points[place][1] > best:
            best = points[place][1]
            front.append(place)
    return front


def _picture(
    table: Table, name: str, label: str, points: Sequence[tuple[Line, float, float]]
) -> Picture:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    figure, (axes,) = new_figure(height=3.5 + 0.19 * len(points))
    order = [line.system for line in table.judged]
    score = table.comparison.score
    front = pareto([(price, score.goodness(value)) for _, price, value in points])
    axes.plot(
        [points[place][1] for place in front],
        [points[place][2] for place in front],
        color=FAINT,
        linewidth=1.2,
        drawstyle="steps-post",
        label="Pareto front",
    )
    for line, price, value in points:
        colour, marker, _ = look(order.index(line.system))
        axes.plot(
            [price], [value], marker, color=colour, markersize=7, label=figure_text(line.title)
        )
    prices = [price for _, price, _ in points]
    if not scale_across(axes, min(prices), max(prices)):
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.margins(0.12)
    axes.set(xlabel=label, ylabel=figure_text(score.name))
    figure.legend(loc="outside lower center")
    listed = "; ".join(f"{line.title} {price:,.3g}" for line, price, _ in points)
    best = ", ".join(points[place][0].title for place in front)
    return picture(
        figure,
        f"{capital(score.name)} against {name}: {listed}. On the Pareto front: {best}.",
        f"{capital(score.name)} against {name}",
    )
