"""Figures about one run."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from crystalvision.evaluation import Metrics, reliability
from crystalvision.figures import COLOURS, FAINT, INK, MARKERS, look, new_figure, wrapped
from crystalvision.report._pictures import Picture, picture
from crystalvision.report._results import Judged
from crystalvision.report._statistics import roc_curve
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_IN_A_CORNER = 5  # classes whose legend fits in the corner of the ROC curves
_MANY = 1000  # points; above it they are drawn as a bitmap within the SVG
_NEAR_PERFECT = 0.95  # areas under ROC curves; above it all curves hug the corner
_LEGEND = 40  # letters of a class in a legend
_FEW_VALUES = 12  # true severities; up to it, points of one value are spread sideways


def confusion_picture(metrics: Metrics) -> Picture:
    """Counts and row percentages, actual class by predicted class."""
    counts = np.asarray(metrics.confusion)
    totals = counts.sum(axis=1, keepdims=True)
    share = counts / np.maximum(totals, 1)
    size = len(counts)
    figure, (axes,) = new_figure(height=4.2)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    small = 10.0 if size <= 5 else max(4.0, 46 / size)
    for row, column in np.ndindex(size, size):
        colour = "white" if share[row, column] > 0.55 else INK
        percent = f"\n{share[row, column]:.0%}" if totals[row, 0] else "\n–"
        text = f"{counts[row, column]}{percent}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=small)
    names = [wrapped(name) for name in metrics.class_names]
    turn = 0 if size <= 5 else 90
    axes.set_xticks(range(size), names, fontsize=min(9.0, small), rotation=turn)
    axes.set_yticks(range(size), names, fontsize=min(9.0, small))
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("actual class")
    return picture(
        figure,
        f"Confusion matrix of {metrics.samples} patterns, {metrics.accuracy:.1%} of them right.",
        "Patterns of each actual class by predicted class, and per cent of the actual class.",
    )


def roc_picture(metrics: Metrics, judged: Judged) -> Picture:
    """Each class against the rest."""
    many = len(metrics.class_names) > _IN_A_CORNER
    figure, (axes,) = new_figure(height=4.3 + 0.25 * len(metrics.class_names) * many)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    lines, areas, told = [], [], []
    for index, name in enumerate(metrics.class_names):
        area = metrics.auc[name]
        if area is None:  # the class, or the rest, does not occur
            continue
        false, true = roc_curve(judged.probabilities[:, index], judged.label == index)
        colour, _, dashes = look(index)
        style: dict[str, Any] = {"color": colour, "linestyle": dashes, "linewidth": 1.8}
        areas.append(area)
        told.append(f"{name}: AUC {area:.3f}")
        axes.plot(false, true, label=f"{figure_text(name, _LEGEND)}: AUC {area:.3f}", **style)
        lines.append((false, true, style))
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    note = ""
    if areas and min(areas) > _NEAR_PERFECT:
        note = " The upper left corner is shown larger."
        _magnify_corner(axes, lines)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    if told and many:
        figure.legend(loc="outside lower center")
    elif told:
        axes.legend(loc="lower right")
    text = "; ".join(told) if told else "no class can be judged"
    return picture(
        figure,
        f"ROC curves of each class against the rest: {text}.",
        f"Each class against the rest; the dotted line is chance.{note}",
    )


def _magnify_corner(
    axes: "Axes", lines: Sequence[tuple[Float[np.ndarray, "t"], Float[np.ndarray, "t"], Any]]
) -> None:
    """Show the upper left corner larger, where curves of a good classifier lie together."""
    corner = axes.inset_axes((0.36, 0.38, 0.56, 0.5))
    for false, true, style in lines:
        corner.plot(false, true, **style)
    corner.set(xlim=(-0.005, 0.2), ylim=(0.8, 1.005), xticks=(0, 0.1, 0.2), yticks=(0.8, 0.9, 1))
    corner.tick_params(labelsize=8)
    axes.indicate_inset_zoom(corner, edgecolor=FAINT)


def reliability_picture(metrics: Metrics, judged: Judged) -> Picture:
    """How often the most probable class is right, by how probable it was said to be."""
    confidence = judged.probabilities.max(axis=1)
    curve = reliability(confidence, judged.probabilities.argmax(axis=1) == judged.label)
    filled = curve.patterns > 0
    figure, (axes, below) = new_figure(height=4.6, rows=2)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    axes.plot(
        curve.confidence[filled],
        curve.accuracy[filled],
        color=COLOURS[0],
        marker=MARKERS[0],
        linewidth=1.6,
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), ylabel="share right")
    widths = np.diff(curve.edges)
    below.bar(curve.edges[:-1], curve.patterns, width=widths, align="edge", color=COLOURS[5])
    below.set(ylabel="patterns", xlabel="probability of the most probable class")
    error = metrics.expected_calibration_error
    scaled = metrics.temperature
    how = "not calibrated" if scaled is None else f"calibrated with temperature {scaled:.3f}"
    told = f"expected calibration error {error:.3f}, {how}"
    return picture(
        figure,
        f"Reliability diagram: {told}.",
        f"Reliability: {told}. The dotted line is perfect calibration.",
    )


def bland_altman_picture(metrics: Metrics, judged: Judged) -> Picture:
    """Difference of predicted and true severity against their mean."""
    difference = judged.predicted_severity - judged.severity
    mean = (judged.predicted_severity + judged.severity) / 2
    severity = metrics.severity
    figure, (axes,) = new_figure(height=3.5 + 0.1 * max(4, len(metrics.class_names)))
    _scatter(axes, mean, difference, judged, metrics.class_names)
    lines = [("bias", severity.bias, "-")]
    if severity.lower_limit is not None and severity.upper_limit is not None:
        lines += [
            ("−1.96 SD", severity.lower_limit, "--"),
            ("+1.96 SD", severity.upper_limit, "--"),
        ]
    _draw_lines(axes, lines)
    axes.set_xlabel("mean of predicted and true severity")
    axes.set_ylabel("predicted − true severity")
    _legend_below(axes)
    told = ", ".join(f"{name} {_signed(value)}" for name, value, _ in lines)
    return picture(
        figure,
        f"Bland–Altman plot of severity: {told}.",
        "Agreement of severity (Bland and Altman 1986): bias and 95 % limits of agreement. "
        "Severity is a pure number, 0 for no defect.",
    )


def severity_picture(metrics: Metrics, judged: Judged) -> Picture:
    """Predicted against true severity."""
    figure, (axes,) = new_figure(height=3.5 + 0.1 * max(4, len(metrics.class_names)))
    values = np.unique(judged.severity)
    both = np.concatenate([judged.severity, judged.predicted_severity])
    low, high = float(both.min()), float(both.max())
    margin = 0.05 * (high - low) or 0.05
    ends = [low - margin, high + margin]
    axes.plot(ends, ends, color=FAINT, linewidth=1, linestyle=":")
    across = judged.severity
    spread = len(values) <= _FEW_VALUES
    if spread:
        across = across + _spread(len(across), 0.15 * _least_gap(values))
    _scatter(axes, across, judged.predicted_severity, judged, metrics.class_names)
    if spread:
        half = 0.3 * _least_gap(values)
        for value in values:
            median = float(np.median(judged.predicted_severity[judged.severity == value]))
            axes.plot([value - half, value + half], [median, median], color=INK, linewidth=2)
    axes.set_xlabel("true severity")
    axes.set_ylabel("predicted severity")
    _legend_below(axes)
    note = " Points are spread sideways; bars are medians." if spread else ""
    return picture(
        figure,
        "Predicted against true severity; mean absolute error "
        f"{metrics.severity.mae:.3f}, root mean squared error {metrics.severity.rmse:.3f}.",
        f"The dotted line is perfect agreement.{note}",
    )


def _scatter(
    axes: "Axes",
    across: Float[np.ndarray, "n"],
    up: Float[np.ndarray, "n"],
    judged: Judged,
    class_names: Sequence[str],
) -> None:
    many = len(across) > _MANY
    for index, name in enumerate(class_names):
        here = judged.label == index
        colour, marker, _ = look(index)
        axes.scatter(
            across[here],
            up[here],
            s=8 if many else 16,
            alpha=0.35 if many else 0.6,
            color=colour,
            marker=marker,
            linewidths=0,
            label=figure_text(name, _LEGEND),
            rasterized=many,
        )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _legend_below(axes: "Axes") -> None:
    figure = axes.get_figure()
    if figure is not None:
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
