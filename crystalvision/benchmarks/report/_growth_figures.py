"""Figures of the score along the training data's size, or a column of the test data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalvision.benchmarks.report._bounds import Limit, upper_at
from crystalvision.benchmarks.report._growth import Curve, label_of
from crystalvision.benchmarks.report._score import Score, capital
from crystalvision.benchmarks.report._ticks import power_text, scale_across
from crystalvision.figures import FAINT, INK, look, new_figure
from crystalvision.report import Picture, picture
from crystalvision.sources import BoundPoint
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TICKS = 8  # values; up to it each has a tick
_ASIDE = 0.08  # between the bars of systems at one place [inches]


def size_picture(curves: Sequence[Curve], score: Score, trained_on: str, tested_on: str) -> Picture:
    """Score against the number of patterns that were trained on."""
    figure, (axes,) = new_figure(width=5.2, height=3.9 + 0.12 * len(curves))
    sizes = sorted({size for curve in curves for size in curve.points})
    draw_curves(figure, axes, curves)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    axes.xaxis.set_minor_formatter("")
    axes.tick_params(axis="x", which="minor", length=0)
    axes.set(
        xlabel=f"patterns of {figure_text(trained_on, 36)} to train on, validation included",
        ylabel=figure_text(score.name),
    )
    figure.legend(loc="outside lower center", ncols=2)
    return picture(
        figure,
        f"{capital(score.name)} on {tested_on} against the number of training patterns: "
        f"{_text(curves)}.",
        f"Tested on {tested_on}; bars are 95 % intervals over patterns and seeds. Points of one "
        "size are set side by side.",
    )


def by_picture(
    curves: Sequence[Curve], score: Score, column: str, limit: Limit | None, tested_on: str
) -> Picture:
    """Score against a column, with the bounds, and below it the gap to the upper bound."""
    bound = limit.curve(column) if limit is not None else []
    gaps = _gaps(curves, bound)
    rows = 2 if gaps else 1
    height = (3.6 if rows == 1 else 6.0) + 0.12 * len(curves)
    figure, axes = new_figure(width=5.2, height=height, rows=rows)
    places = sorted({place for curve in curves for place in curve.points})
    if bound:
        _draw_bound(axes[0], bound)
    draw_curves(figure, axes[0], curves)
    axes[0].set_ylabel(figure_text(score.name))
    if gaps:
        _draw_gaps(axes[1], gaps)
    if scale_across(axes[0], min(places), max(places)) and len(places) <= _TICKS:
        axes[-1].set_xticks(places, [power_text(place) for place in places])
        axes[-1].xaxis.set_minor_formatter("")
    axes[-1].set_xlabel(figure_text(label_of(column)))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    end = f"; upper bound {_bound_text(bound)}" if bound else ""
    return picture(
        figure,
        f"{capital(score.name)} on {tested_on} against {label_of(column)}: {_text(curves)}{end}.",
        _caption(bound, bool(gaps)),
    )


def draw_curves(figure: "Figure", axes: "Axes", curves: Sequence[Curve]) -> None:
    """Draw curves with their intervals, points of one place side by side."""
    from matplotlib.transforms import ScaledTranslation

    for number, curve in enumerate(curves):
        colour, marker, dashes = look(number)
        places = sorted(curve.points)
        values = [curve.points[place] for place in places]
        ends = [
            [each.value - each.low for each in values],
            [each.high - each.value for each in values],
        ]
        shift = (number - (len(curves) - 1) / 2) * _ASIDE
        aside = ScaledTranslation(shift, 0, figure.dpi_scale_trans)
        axes.errorbar(
            places,
            [each.value for each in values],
            yerr=np.maximum(ends, 0),
            label=figure_text(curve.title, 36),
            color=colour,
            marker=marker,
            linestyle=dashes,
            markersize=5,
            linewidth=1.5,
            elinewidth=1.1,
            transform=axes.transData + aside,
        )
    low = min((each.low for curve in curves for each in curve.points.values()), default=0.0)
    high = max((each.high for curve in curves for each in curve.points.values()), default=1.0)
    axes.update_datalim([(place, end) for c in curves for place in c.points for end in (low, high)])
    axes.autoscale_view()


def _draw_bound(axes: "Axes", bound: Sequence[BoundPoint]) -> None:
    places = [point.value or 0.0 for point in bound]
    axes.fill_between(
        places,
        [point.upper_low for point in bound],
        [point.upper_high for point in bound],
        color=INK,
        alpha=0.12,
        linewidth=0,
    )
    axes.plot(places, [point.upper for point in bound], color=INK, linewidth=2, label="upper bound")
    known = [point for point in bound if point.informed is not None]
    if known:
        axes.plot(
            [point.value or 0.0 for point in known],
            [point.informed or 0.0 for point in known],
            color=FAINT,
            linewidth=1.6,
            linestyle="--",
            label="informed reference",
        )


def _gaps(curves: Sequence[Curve], bound: Sequence[BoundPoint]) -> list[dict[float, float]]:
    """Upper bound minus accuracy at the places that both have, a mapping for each curve."""
    gaps = [
        {
            place: upper - each.value
            for place, each in curve.points.items()
            if (upper := upper_at(bound, place)) is not None
        }
        for curve in curves
    ]
    return gaps if any(gaps) else []


def _draw_gaps(axes: "Axes", gaps: Sequence[dict[float, float]]) -> None:
    for number, gap in enumerate(gaps):
        colour, marker, dashes = look(number)
        places = sorted(gap)
        values = [100 * gap[place] for place in places]
        style: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": dashes}
        axes.plot(places, values, markersize=4, linewidth=1.5, **style)
    axes.axhline(0, color=INK, linewidth=1)
    axes.set_ylabel("gap to the upper\nbound [points]")


def _caption(bound: Sequence[BoundPoint], gaps: bool) -> str:
    parts = ["Bars are 95 % intervals. Points of one value are set side by side."]
    if bound:
        parts.append("The solid line is the upper bound with its 95 % interval.")
    if gaps:
        parts.append("Below: how many percentage points each system is from it.")
    return " ".join(parts)


def _text(curves: Sequence[Curve]) -> str:
    return "; ".join(
        f"{curve.title} "
        + ", ".join(
            f"{curve.points[place].value:.3f} at {place:g}" for place in sorted(curve.points)
        )
        for curve in curves
    )


def _bound_text(bound: Sequence[BoundPoint]) -> str:
    return ", ".join(f"{point.upper:.3f} at {point.value:g}" for point in bound)
