"""Figures of how one system tells maps of classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import EvaluatedEstimates, TaskFigure
from crystalvision.figures import COLOURS, new_figure, wrapped
from crystalvision.text import figure_text

_LEGEND = 40  # letters of a class in a legend


def overlap_figure(judged: EvaluatedEstimates, metrics: Mapping[str, Any]) -> TaskFigure:
    """Intersection over union of each class."""
    names = judged.target.classes
    values = [metrics["iou"][name] for name in names]
    figure, (axes,) = new_figure(height=1.4 + 0.5 * len(names))
    axes.barh(range(len(names)), [value or 0.0 for value in values], color=COLOURS[0], height=0.6)
    for place, value in enumerate(values):
        text = "does not occur" if value is None else f"{value:.3f}"
        inside = value is not None and value > 0.8
        axes.text(
            (value or 0.0) + (-0.02 if inside else 0.02),
            place,
            text,
            va="center",
            ha="right" if inside else "left",
            color="white" if inside else "black",
        )
    axes.set_yticks(range(len(names)), [wrapped(name) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1), xlabel="intersection over union")
    found = "; ".join(
        f"{name} {'–' if value is None else f'{value:.3f}'}"
        for name, value in zip(names, values, strict=True)
    )
    return TaskFigure(
        "overlap",
        f"Intersection over union of each class; mean {metrics['mean_iou']:.3f}.",
        figure,
        f"Intersection over union of each class: {found}.",
    )


def examples_figure(judged: EvaluatedEstimates, scores: Float[np.ndarray, "n"]) -> TaskFigure:
    """A usual map and the worst one, each beside the truth."""
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    names = judged.target.classes
    order = np.argsort(np.nan_to_num(scores, nan=2.0), kind="stable")
    chosen = {"median": int(order[(len(order) - 1) // 2]), "worst": int(order[0])}
    colours = [COLOURS[index % len(COLOURS)] for index in range(len(names))]
    drawn = ListedColormap(["#d0d0d0", *colours])  # what is not judged is grey
    figure = Figure(figsize=(4.6, 4.9 + 0.2 * len(names)))
    for row, (which, place) in zip(figure.subplots(2, 2), chosen.items(), strict=True):
        for axes, title, shown in zip(
            row,
            (f"truth ({which})", f"predicted: {scores[place]:.3f}"),
            (judged.truth[place], judged.value[place]),
            strict=True,
        ):
            axes.imshow(np.maximum(shown, -1) + 1, cmap=drawn, vmin=-0.5, vmax=len(names) + 0.5)
            axes.set(xticks=(), yticks=(), title=title)
            axes.grid(visible=False)
    figure.legend(
        handles=[
            Patch(color=colour, label=figure_text(name, _LEGEND))
            for colour, name in zip(colours, names, strict=True)
        ],
        loc="outside lower center",
        ncols=2,
    )
    caption = "A map of median overlap, and the worst one, beside the truth."
    return TaskFigure("examples", caption, figure)
