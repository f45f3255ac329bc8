"""Figures of how one system tells classes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Num

from crystalvision.contracts import EvaluatedEstimates, TaskFigure
from crystalvision.figures import COLOURS, FAINT, INK, MARKERS, look, new_figure, wrapped
from crystalvision.text import figure_text
from crystalvision_tasks.reliability import reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_IN_A_CORNER = 5  # classes whose legend fits in the corner of the ROC curves
_NEAR_PERFECT = 0.95  # areas under ROC curves; above it all curves hug the corner
_LEGEND = 40  # letters of a class in a legend
_MOST_NAMED = 40  # classes whose names and numbers can be read beside a matrix
_MOST_CURVES, _WORST = 24, 8  # classes that have a curve each; of more those of the least area


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
    if size <= _MOST_NAMED:
        _name_cells(axes, counts, share, judged.target.classes)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("actual class")
    few = "Patterns of each actual class by predicted class, and per cent of the actual class."
    return TaskFigure(
        "confusion",
        few if size <= _MOST_NAMED else f"Shares of each actual class, of {size} by their numbers.",
        figure,
        f"Confusion matrix of {len(judged)} patterns, {metrics['accuracy']:.1%} of them right.",
    )


def _name_cells(
    axes: "Axes",
    counts: Num[np.ndarray, "k k"],
    share: Float[np.ndarray, "k k"],
    classes: Sequence[str],
) -> None:
    """Write counts and per cent into each cell, and the classes beside them."""
    size = len(counts)
    small = 10.0 if size <= 5 else max(4.0, 46 / size)
    for row, column in np.ndindex(size, size):
        colour = "white" if share[row, column] > 0.55 else INK
        percent = f"\n{share[row, column]:.0%}" if counts[row].any() else "\n–"
        text = f"{counts[row, column]}{percent}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=small)
    names = [wrapped(name) for name in classes]
    axes.set_xticks(range(size), names, fontsize=min(9.0, small), rotation=0 if size <= 5 else 90)
    axes.set_yticks(range(size), names, fontsize=min(9.0, small))


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
    """Each class against the rest; of very many classes those that are told worst."""
    areas_of = {
        index: metrics["auc"][name]
        for index, name in enumerate(judged.target.classes)
        if metrics["auc"][name] is not None  # else the class, or the rest, does not occur
    }
    shown = list(areas_of)
    if len(judged.target.classes) > _MOST_CURVES:
        shown = sorted(sorted(areas_of, key=areas_of.__getitem__)[:_WORST])
    many = len(shown) > _IN_A_CORNER
    figure, (axes,) = new_figure(height=4.3 + 0.25 * len(shown) * many)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    lines, areas, areas_in_words = [], [], []
    for index in shown:
        name, area = judged.target.classes[index], areas_of[index]
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
    which = "Each class"
    if len(shown) < len(areas_of):
        which = f"The {len(shown)} of {len(areas_of)} classes with the least area, each"
    text = "; ".join(areas_in_words) if areas_in_words else "no class can be judged"
    return TaskFigure(
        "roc",
        f"{which} against the rest; the dotted line is chance.{note}",
        figure,
        f"ROC curves of {which[0].lower()}{which[1:]} against the rest: {text}.",
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
