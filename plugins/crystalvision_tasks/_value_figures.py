"""Figures of how one system tells real values."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import EvaluatedEstimates, Target, TaskFigure
from crystalvision.figures import COLOURS, FAINT, INK, MARKERS, look, new_figure
from crystalvision.text import MOST_CLASSES, figure_text, unit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY = 1000  # points; above it they are drawn as a bitmap within the SVG
_LEGEND = 40  # letters of a class in a legend
_FEW_VALUES = 12  # true values; up to it, points of one value are spread sideways


def agreement_figure(judged: EvaluatedEstimates, metrics: Mapping[str, Any]) -> TaskFigure:
    """Difference of predicted and true value against their mean (Bland & Altman)."""
    name, units = _words(judged.target)
    difference = judged.value - judged.truth
    mean = (judged.value + judged.truth) / 2
    figure, (axes,) = new_figure(height=3.5 + 0.1 * max(4, len(_groups(judged))))
    _scatter(axes, mean, difference, judged)
    lines = [("bias", metrics["bias"], "-")]
    if metrics["lower_limit"] is not None:
        lines += [
            ("−1.96 SD", metrics["lower_limit"], "--"),
            ("+1.96 SD", metrics["upper_limit"], "--"),
        ]
    _draw_lines(axes, lines)
    axes.set_xlabel(f"mean of predicted and true {name}{units}")
    axes.set_ylabel(f"predicted − true {name}{units}")
    _legend_below(axes)
    found = ", ".join(f"{line} {_signed(value)}" for line, value, _ in lines)
    return TaskFigure(
        "agreement",
        f"Agreement of {name} (Bland and Altman 1986): bias and 95 % limits of agreement. "
        f"{name.capitalize()} is {_in_units(judged.target)}.",
        figure,
        f"Bland–Altman plot of {name}: {found}.",
    )


def scatter_figure(judged: EvaluatedEstimates, metrics: Mapping[str, Any]) -> TaskFigure:
    """Predicted against true value."""
    name, units = _words(judged.target)
    figure, (axes,) = new_figure(height=3.5 + 0.1 * max(4, len(_groups(judged))))
    values = np.unique(judged.truth)
    both = np.concatenate([judged.truth, judged.value])
    low, high = float(both.min()), float(both.max())
    margin = 0.05 * (high - low) or 0.05
    ends = [low - margin, high + margin]
    axes.plot(ends, ends, color=FAINT, linewidth=1, linestyle=":")
    across = judged.truth
    spread = len(values) <= _FEW_VALUES
    if spread:
        across = across + _spread(len(across), 0.15 * _least_gap(values))
    _scatter(axes, across, judged.value, judged)
    if spread:
        half = 0.3 * _least_gap(values)
        for value in values:
            median = float(np.median(judged.value[judged.truth == value]))
            axes.plot([value - half, value + half], [median, median], color=INK, linewidth=2)
    axes.set_xlabel(f"true {name}{units}")
    axes.set_ylabel(f"predicted {name}{units}")
    _legend_below(axes)
    note = " Points are spread sideways; bars are medians." if spread else ""
    return TaskFigure(
        "scatter",
        f"The dotted line is perfect agreement.{note}",
        figure,
        f"Predicted against true {name}; mean absolute error {metrics['mae']:.3f}, "
        f"root mean squared error {metrics['rmse']:.3f}.",
    )


def _groups(judged: EvaluatedEstimates) -> tuple[str, ...]:
    """The groups that points are told apart by; none where a legend could not hold them."""
    return judged.group_names if len(judged.group_names) <= MOST_CLASSES else ()


def _words(target: Target) -> tuple[str, str]:
    """What to call a target on an axis, and its units there."""
    unit = unit_text(target.units)
    return figure_text(target.words), f" [{figure_text(unit)}]" if unit else ""


def _in_units(target: Target) -> str:
    return f"in {unit_text(target.units)}" if unit_text(target.units) else "a pure number"


def _scatter(
    axes: "Axes",
    across: Float[np.ndarray, "n"],
    up: Float[np.ndarray, "n"],
    judged: EvaluatedEstimates,
) -> None:
    many = len(across) > _MANY
    style: dict[str, Any] = {
        "s": 8 if many else 16,
        "alpha": 0.35 if many else 0.6,
        "linewidths": 0,
        "rasterized": many,
    }
    if judged.group is None or not _groups(judged):
        axes.scatter(across, up, color=COLOURS[0], marker=MARKERS[0], **style)
        return
    for index, name in enumerate(_groups(judged)):
        here = judged.group == index
        colour, marker, _ = look(index)
        label = figure_text(name, _LEGEND)
        axes.scatter(across[here], up[here], color=colour, marker=marker, label=label, **style)


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _legend_below(axes: "Axes") -> None:
    figure = axes.get_figure()
    if figure is not None and axes.get_legend_handles_labels()[0]:
        legend = figure.legend(loc="outside lower center", ncols=2, handletextpad=0.2)
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_alpha(1)


def _draw_lines(axes: "Axes", lines: Sequence[tuple[str, float, str]]) -> None:
    """Horizontal lines across the points, with texts to the right that keep their distance."""
    inside = [*axes.get_ylim(), *(value for _, value, _ in lines), 0.0]
    height = max(inside) - min(inside)
    axes.set_ylim(min(inside) - 0.06 * height, max(inside) + 0.06 * height)
    left, right = axes.get_xlim()
    axes.set_xlim(left, right + 0.36 * (right - left))
    ordered = sorted(lines, key=lambda line: line[1])
    places = [value for _, value, _ in ordered]
    for lower, upper in pairwise(range(len(places))):
        places[upper] = max(places[upper], places[lower] + 0.08 * height)
    shift = float(np.mean(places) - np.mean([value for _, value, _ in ordered]))
    start = right + 0.02 * (right - left)
    for (name, value, dashes), place in zip(ordered, places, strict=True):
        axes.hlines(value, left, right, color=INK, linewidth=1.2, linestyle=dashes)
        axes.text(start, place - shift, f"{name} {_signed(value)}", va="center", fontsize=9)


def _least_gap(values: Float[np.ndarray, "v"]) -> float:
    return float(np.diff(values).min()) if len(values) > 1 else 0.2


def _spread(count: int, width: float) -> Float[np.ndarray, "n"]:
    """Offsets within ±`width` that fill it evenly, the same each time."""
    golden = 0.6180339887498949
    return width * (2 * ((np.arange(count) * golden) % 1) - 1)
