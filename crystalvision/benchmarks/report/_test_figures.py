"""Curves of the score over tests that differ in the degree of something."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crystalvision.benchmarks._claims import CurvePlan
from crystalvision.benchmarks.report._growth import Curve
from crystalvision.benchmarks.report._growth_figures import draw_curves
from crystalvision.benchmarks.report._score import Score, capital
from crystalvision.benchmarks.report._tests import TestColumn, TestTable
from crystalvision.figures import look, new_figure
from crystalvision.report import Picture, picture
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def curve_pictures(
    plans: Sequence[CurvePlan], table: TestTable, score: Score
) -> list[tuple[str, Picture]]:
    """A title and a figure for each curve: the score, and below it the share that is flagged."""
    found = []
    for plan in plans:
        columns = [
            each for each in table.columns if {name for _, name in plan.points} & set(each.cells)
        ]
        if columns:
            found.append((plan.title, _picture(plan, columns, score)))
    return found


def _picture(plan: CurvePlan, columns: Sequence[TestColumn], score: Score) -> Picture:
    curves = [_curve(plan, column) for column in columns]
    flagged = [_flagged(plan, column) for column in columns]
    figure, axes = new_figure(width=6.2, height=6.2 + 0.14 * len(curves), rows=2)
    draw_curves(figure, axes[0], curves)
    axes[0].set_ylabel(figure_text(score.name))
    _draw_flagged(axes[1], flagged)
    axes[1].set_xlabel(figure_text(plan.axis))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    told = "; ".join(
        f"{curve.title} "
        + ", ".join(f"{each.value:.3f} at {place:g}" for place, each in curve.points.items())
        for curve in curves
    )
    return picture(
        figure,
        f"{capital(score.name)} against {plan.axis}: {told}.",
        "Above: bars are 95 % intervals over specimens and seeds; points of one value are set side "
        "by side. Below: share of the patterns that are flagged as unlike the training data.",
    )


def _curve(plan: CurvePlan, column: TestColumn) -> Curve:
    points = {
        place: column.cells[name].score
        for place, name in sorted(plan.points)
        if name in column.cells
    }
    return Curve(column.system, column.name, points)


def _flagged(plan: CurvePlan, column: TestColumn) -> dict[float, float]:
    found = {}
    for place, name in sorted(plan.points):
        cell = column.cells.get(name)
        if cell is not None and cell.rejected is not None:
            found[place] = cell.rejected
    return found


def _draw_flagged(axes: "Axes", flagged: Sequence[dict[float, float]]) -> None:
    for number, shares in enumerate(flagged):
        colour, marker, dashes = look(number)
        places, values = list(shares), [100 * share for share in shares.values()]
        axes.plot(
            places,
            values,
            color=colour,
            marker=marker,
            linestyle=dashes,
            markersize=4,
            linewidth=1.4,
        )
    axes.set_ylim(-3, 103)
    axes.set_ylabel("flagged [%]")
