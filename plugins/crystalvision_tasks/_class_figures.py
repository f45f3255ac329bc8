"""Figures of how one system tells classes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.contracts import EvaluatedEstimates, TaskFigure
from crystalvision.figures import COLOURS, FAINT, INK, MARKERS, look, new_figure, wrapped
from crystalvision.text import figure_text
from crystalvision_tasks.reliability import reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_IN_A_CORNER = 5  # classes whose legend fits in the corner of the ROC curves
_NEAR_PERFECT = 0.95  # areas under ROC curves; above it all curves hug the corner
_LEGEND = 40  # letters of a class in a legend


def confusion_figure(judged: EvaluatedEstimates, metrics: Mapping[str, Any]) -> TaskFigure:
    """Counts and row percentages, actual class by predicted class."""
    counts = np.asarray(metrics["confusion"])
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
    names = [wrapped(name) for name in judged.target.classes]
    turn = 0 if size <= 5 else 90
    axes.set_xticks(range(size), names, fontsize=min(9.0, small), rotation=turn)
    axes.set_yticks(range(size), names, fontsize=min(9.0, small))
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("actual class")
    return TaskFigure(
        "confusion",
        "Patterns of each actual class by predicted class, and per cent of the actual class.",
        figure,
        f"Confusion matrix of {len(judged)} patterns, {metrics['accuracy']:.1%} of them right.",
    )


def roc_curve(
    score: Float[np.ndarray, "n"], positive: Bool[np.ndarray, "n"]
) -> tuple[Float[np.ndarray, "t"], Float[np.ndarray, "t"]]:
    """False and true positive rate at every threshold, from (0, 0) to (1, 1).

    Args:
        score: Higher where the class is more probable, (n,).
        positive: Which patterns are of the class, (n,); some must be, and some not.
    """
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], positive[order]
    # Patterns of one score pass the threshold together.
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(hits)[last] / hits.sum()
    false = np.cumsum(~hits)[last] / (~hits).sum()
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


def roc_figure(
    judged: EvaluatedEstimates, probabilities: Float[np.ndarray, "n k"], metrics: Mapping[str, Any]
) -> TaskFigure:
    """Each class against the rest."""
    names = judged.target.classes
    many = len(names) > _IN_A_CORNER
    figure, (axes,) = new_figure(height=4.3 + 0.25 * len(names) * many)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    lines, areas, areas_in_words = [], [], []
    for index, name in enumerate(names):
        area = metrics["auc"][name]
        if area is None:  # the class, or the rest, does not occur
            continue
        false, true = roc_curve(probabilities[:, index], judged.truth == index)
        colour, _, dashes = look(index)
        style: dict[str, Any] = {"color": colour, "linestyle": dashes, "linewidth": 1.8}
        areas.append(area)
        areas_in_words.append(f"{name}: AUC {area:.3f}")
        axes.plot(false, true, label=f"{figure_text(name, _LEGEND)}: AUC {area:.3f}", **style)
        lines.append((false, true, style))
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    note = ""
    if areas and min(areas) > _NEAR_PERFECT:
        note = " The upper left corner is shown larger."
        _magnify_corner(axes, lines)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    if areas_in_words and many:
        figure.legend(loc="outside lower center")
    elif areas_in_words:
        axes.legend(loc="lower right")
    text = "; ".join(areas_in_words) if areas_in_words else "no class can be judged"
    return TaskFigure(
        "roc",
        f"Each class against the rest; the dotted line is chance.{note}",
        figure,
        f"ROC curves of each class against the rest: {text}.",
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


def reliability_figure(
    judged: EvaluatedEstimates, probabilities: Float[np.ndarray, "n k"], metrics: Mapping[str, Any]
) -> TaskFigure:
    """How often the most probable class is right, by how probable it was said to be."""
    curve = reliability(probabilities.max(axis=1), judged.value == judged.truth)
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
    error, scaled = metrics["expected_calibration_error"], judged.temperature
    how = "not calibrated" if scaled is None else f"calibrated with temperature {scaled:.3f}"
    found = f"expected calibration error {error:.3f}, {how}"
    return TaskFigure(
        "reliability",
        f"Reliability: {found}. The dotted line is perfect calibration.",
        figure,
        f"Reliability diagram: {found}.",
    )
