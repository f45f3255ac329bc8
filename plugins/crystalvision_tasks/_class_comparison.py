"""Figures of classes that show several systems beside each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import EvaluatedEstimates, EvaluatedSystem, TaskFigure
from crystalvision.figures import FAINT, look, new_figure
from crystalvision.text import figure_text
from crystalvision_tasks._class_figures import roc_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GRID: Float[np.ndarray, "g"] = np.linspace(0, 1, 401)


def curves_figures(systems: Sequence[EvaluatedSystem]) -> list[TaskFigure]:
    """Macro curves of each system: receiver operating characteristic, precision by recall."""
    known = [
        each for each in systems if all(one.probabilities is not None for one, _ in each.seeds)
    ]
    return [_curves_figure(known, roc=roc) for roc in (True, False)] if known else []


def macro_curve(
    probabilities: Float[np.ndarray, "n k"], judged: EvaluatedEstimates, *, roc: bool
) -> Float[np.ndarray, "g"]:
    """Mean over the classes of a curve against the rest, at 401 even places from 0 to 1.

    Args:
        probabilities: Of each class, (n, k).
        judged: With the truth.
        roc: True positive rate by false positive rate; else precision by recall.
    """
    curves = []
    for index in range(probabilities.shape[1]):
        positive = judged.truth == index
        if positive.all() or not positive.any():
            continue
        false, true = roc_curve(probabilities[:, index], positive)
        if roc:
            curves.append(true[np.searchsorted(false, _GRID, side="right") - 1])
            continue
        hits, wrong = true[1:] * positive.sum(), false[1:] * (~positive).sum()
        precision = hits / (hits + wrong)
        place = np.searchsorted(true[1:], _GRID - 1e-12, side="left")
        curves.append(precision[np.minimum(place, len(precision) - 1)])
    mean: Float[np.ndarray, "g"] = np.mean(curves, axis=0)
    return mean


def _curves_figure(systems: Sequence[EvaluatedSystem], *, roc: bool) -> TaskFigure:
    shown = [each for each in systems if each.highlighted]
    others = [each for each in systems if not each.highlighted]
    figure, (axes,) = new_figure(height=4.2 + 0.2 * (len(shown) + bool(others)))
    for number, system in enumerate(others):
        label = "other systems" if not number else None
        _draw(axes, system, roc, label, color=FAINT, linewidth=0.8, alpha=0.6)
    found = []
    for number, system in enumerate(shown):
        colour, _, dashes = look(number)
        area = _area(system, "macro_auc" if roc else "macro_average_precision")
        found.append(f"{system.title}: {area:.3f}")
        label = f"{figure_text(system.title)}: {area:.3f}"
        _draw(axes, system, roc, label, color=colour, linestyle=dashes, linewidth=1.8)
    if roc:
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    across, up = ("false positive rate", "true positive rate") if roc else ("recall", "precision")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=across, ylabel=up, aspect="equal")
    figure.legend(loc="outside lower center")
    name, what = ("ROC curves", "area") if roc else ("Precision–recall curves", "average precision")
    return TaskFigure(
        "macro_roc" if roc else "macro_precision",
        f"{name}: mean over the classes against the rest and over seeds; {what} in the legend.",
        figure,
        f"{name}, macro mean of the classes: {what} of {'; '.join(found)}.",
    )


def _draw(
    axes: "Axes", system: EvaluatedSystem, roc: bool, label: str | None, **style: Any
) -> None:
    curves = [
        macro_curve(judged.probabilities, judged, roc=roc)
        for judged, _ in system.seeds
        if judged.probabilities is not None
    ]
    axes.plot(_GRID, np.mean(curves, axis=0), label=label, **style)


def _area(system: EvaluatedSystem, name: str) -> float:
    areas = [metrics[name] for _, metrics in system.seeds if metrics[name] is not None]
    return float(np.mean(areas)) if areas else float("nan")
