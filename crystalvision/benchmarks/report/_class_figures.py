"""Figures of how classes and severity are told."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.benchmarks.report._lines import Line, Table
from crystalvision.benchmarks.report._load import Cell
from crystalvision.evaluation import Intervals, Metrics, classification_metrics, severity_metrics
from crystalvision.figures import FAINT, look, new_figure
from crystalvision.report import (
    Judged,
    Picture,
    bland_altman_picture,
    confusion_picture,
    picture,
    roc_curve,
    severity_picture,
)
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOLD_APART = 6  # systems with a colour of their own among curves
_GRID: Float[np.ndarray, "g"] = np.linspace(0, 1, 401)


def confusion_pictures(table: Table) -> list[Picture]:
    """A confusion matrix of each system, summed over its seeds."""
    found = []
    for line in table.judged:
        metrics, _ = _pooled(table.comparison.cells[line.system])
        drawn = confusion_picture(metrics)
        caption = f"{line.title}, {_seeds(len(line.seeds))}"
        found.append(replace(drawn, alt=f"{line.title}: {drawn.alt}", caption=caption))
    return found


def severity_pictures(table: Table) -> list[Picture]:
    """Bland–Altman and scatter plots of severity by regression, once for systems that agree.

    Systems that begin with the same regressor, and do not train it on, say the same.
    """
    alike: dict[bytes, list[Line]] = {}
    for line in table.judged:
        if line.severity_source == "regression":
            cells = table.comparison.cells[line.system]
            said = b"".join(cell.judged.predicted_severity.tobytes() for cell in cells)
            alike.setdefault(said, []).append(line)
    found = []
    for lines in alike.values():
        titles = "; ".join(line.title for line in lines)
        metrics, judged = _pooled(table.comparison.cells[lines[0].system])
        for drawn in (bland_altman_picture(metrics, judged), severity_picture(metrics, judged)):
            caption = f"{titles}, {_seeds(len(lines[0].seeds))}"
            found.append(replace(drawn, alt=f"{titles}: {drawn.alt}", caption=caption))
    return found


def roc_and_precision_pictures(table: Table) -> list[Picture]:
    """Macro curves of each system: receiver operating characteristic, precision by recall."""
    return [
        _curves_picture(table, "false positive rate", "true positive rate", roc=True),
        _curves_picture(table, "recall", "precision", roc=False),
    ]


def macro_curve(judged: Judged, *, roc: bool) -> Float[np.ndarray, "g"]:
    """Mean over the classes of a curve against the rest, at 401 even places from 0 to 1.

    Args:
        judged: Predictions.
        roc: True positive rate by false positive rate; else precision by recall.
    """
    curves = []
    for index in range(judged.probabilities.shape[1]):
        positive = judged.label == index
        if positive.all() or not positive.any():
            continue
        false, true = roc_curve(judged.probabilities[:, index], positive)
        if roc:
            curves.append(true[np.searchsorted(false, _GRID, side="right") - 1])
            continue
        hits, wrong = true[1:] * positive.sum(), false[1:] * (~positive).sum()
        precision = hits / (hits + wrong)
        place = np.searchsorted(true[1:], _GRID - 1e-12, side="left")
        curves.append(precision[np.minimum(place, len(precision) - 1)])
    mean: Float[np.ndarray, "g"] = np.mean(curves, axis=0)
    return mean


def _curves_picture(table: Table, across: str, up: str, *, roc: bool) -> Picture:
    shown = _shown(table)
    others = [line.system for line in table.judged if line.system not in shown]
    figure, (axes,) = new_figure(height=4.2 + 0.2 * (len(shown) + bool(others)))
    for number, system in enumerate(others):
        label = "other systems" if not number else None
        _draw(axes, table, system, roc, label, color=FAINT, linewidth=0.8, alpha=0.6)
    told = []
    for number, (system, title) in enumerate(shown.items()):
        colour, _, dashes = look(number)
        area = _area(table, system, roc=roc)
        told.append(f"{title}: {area:.3f}")
        label = f"{figure_text(title)}: {area:.3f}"
        _draw(axes, table, system, roc, label, color=colour, linestyle=dashes, linewidth=1.8)
    if roc:
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=across, ylabel=up, aspect="equal")
    figure.legend(loc="outside lower center")
    name, what = ("ROC curves", "area") if roc else ("Precision–recall curves", "average precision")
    return picture(
        figure,
        f"{name}, macro mean of the classes: {what} of {'; '.join(told)}.",
        f"{name}: mean over the classes against the rest and over seeds; {what} in the legend.",
    )


def _draw(
    axes: "Axes", table: Table, system: str, roc: bool, label: str | None, **style: object
) -> None:
    cells = table.comparison.cells[system]
    mean = np.mean([macro_curve(cell.judged, roc=roc) for cell in cells], axis=0)
    # matplotlib's stubs type each keyword, and a style holds several.
    axes.plot(_GRID, mean, label=label, **style)  # type: ignore[arg-type]


def _shown(table: Table) -> dict[str, str]:
    """Systems with a colour of their own, by name: the reference, and the most accurate."""
    ranked = sorted(
        table.judged,
        key=lambda line: (not line.is_reference, -line.accuracy.value if line.accuracy else 0.0),
    )
    chosen = {line.system for line in ranked[:_TOLD_APART]}
    return {line.system: line.title for line in table.judged if line.system in chosen}


def _area(table: Table, system: str, *, roc: bool) -> float:
    areas = [
        cell.number("macro_auc") if roc else cell.number("macro_average_precision")
        for cell in table.comparison.cells[system]
    ]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else float("nan")


def _pooled(cells: Sequence[Cell]) -> tuple[Metrics, Judged]:
    """What all seeds of a system say, as if one had said it."""
    names = ("index", "label", "predicted", "probabilities", "severity", "predicted_severity")
    judged = Judged(
        **{name: np.concatenate([getattr(cell.judged, name) for cell in cells]) for name in names}
    )
    facts = cells[0].facts
    metrics = Metrics(
        dataset="",
        dataset_identity=facts.dataset_identity,
        trained_on_this=False,
        split="all",
        samples=len(judged.label),
        class_names=facts.class_names,
        **classification_metrics(
            torch.from_numpy(judged.probabilities),
            torch.from_numpy(judged.label),
            facts.class_names,
        ).model_dump(),
        severity=severity_metrics(
            torch.from_numpy(judged.predicted_severity), torch.from_numpy(judged.severity)
        ),
        severity_source=facts.severity_source,
        intervals=Intervals(level=0, resamples=0, seed=0, unit=facts.unit, units=0, values={}),
        temperature=None,
        rejected=None,
        images_per_second=0,
        device=facts.device,
    )
    return metrics, judged


def _seeds(count: int) -> str:
    return "one seed" if count == 1 else f"{count} seeds together"
