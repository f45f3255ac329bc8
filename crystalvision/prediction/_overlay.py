"""Draws explanations over their patterns."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crystalvision.figures import COLOURS, INK, drawing
from crystalvision.prediction._explain import Explanation, TargetMap
from crystalvision.storage import whole_file
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_explanation(
    explanation: Explanation,
    path: Path,
    title: str,
    marks: Mapping[str, Float[np.ndarray, "_"]] = MappingProxyType({}),
) -> None:
    """Write a PNG: the pattern, what speaks for its classes, and what moves its numbers.

    Args:
        explanation: What to draw.
        path: The file.
        title: What to call the pattern.
        marks: Of a curve, where each class should show itself, such as its reflections, by its name
            [units of the axis].

    Raises:
        StorageError: The disk refuses.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    if explanation.pattern.ndim == 2:
        figure = curve_figure(explanation, title, marks)
        with drawing(), whole_file(path, overwrite=True) as partial:
            figure.savefig(partial, format="png", dpi=130)
        return
    with matplotlib.style.context(["default", {"text.parse_math": False}]):
        panels = 1 + len(explanation.maps)
        figure = Figure(figsize=(11 * panels / 3, 4), layout="constrained")
        axes = figure.subplots(1, panels)
        _draw(figure, axes, explanation)
        figure.suptitle(figure_text(title, 90), fontsize=10)
        with whole_file(path, overwrite=True) as partial:
            figure.savefig(partial, format="png", dpi=120)


def curve_figure(
    explanation: Explanation, title: str, marks: Mapping[str, Float[np.ndarray, "_"]]
) -> "Figure":
    """The curve, and below it along the same axis what speaks for each thing that is said of it."""
    from matplotlib.figure import Figure

    axis = explanation.axes[0]
    place = axis.values()
    with drawing():
        rows = 1 + len(explanation.maps)
        figure = Figure(figsize=(8.0, 2.6 + 1.3 * (rows - 1)), layout="constrained")
        axes = figure.subplots(
            rows, 1, squeeze=False, sharex=True, height_ratios=[2.2] + [1.0] * (rows - 1)
        )[:, 0]
        counts = explanation.pattern.sum(axis=0)
        axes[0].plot(place, np.sqrt(np.maximum(counts, 0)), color=INK, linewidth=0.8)
        axes[0].set_ylabel("√counts")
        for each, found in zip(axes[1:], explanation.maps, strict=True):
            _draw_activation(each, place, found, marks.get(str(found.said)))
        axes[-1].set_xlabel(axis.label)
        axes[-1].margins(x=0)
        figure.suptitle(figure_text(title, 90), fontsize=10)
    return figure


def _draw_activation(
    axes: "Axes",
    place: np.ndarray,
    found: TargetMap,
    marks: np.ndarray | None,
) -> None:
    largest = max(float(np.abs(found.values).max()), 1e-12)
    values = found.values / largest
    axes.fill_between(place, 0, values, color=COLOURS[1], alpha=0.55, linewidth=0)
    what = f"speaks for {figure_text(str(found.said), 40)}"
    if not isinstance(found.said, str):
        what = f"raises or lowers {figure_text(found.target, 30)} {found.said:.2f}"
    if marks is not None:
        shown = marks[(marks >= place[0]) & (marks <= place[-1])]
        axes.vlines(shown, -0.22, -0.04, color=COLOURS[2], linewidth=0.8)
        what += ", and its reflections" if len(shown) else ""
    axes.set_title(what, fontsize=9, loc="left")
    axes.set_yticks([])


def _draw(figure: "Figure", axes: np.ndarray, explanation: Explanation) -> None:
    pattern = np.log1p(explanation.pattern.sum(axis=0))
    shown = axes[0].imshow(pattern, cmap="gray")
    figure.colorbar(shown, ax=axes[0], shrink=0.8, label="ln(1 + counts)")
    axes[0].set_title("pattern", fontsize=10)
    for each, found in zip(axes[1:], explanation.maps, strict=True):
        largest = max(float(np.abs(found.values).max()), 1e-12)
        name = figure_text(found.target, 24)
        if isinstance(found.said, str):
            limits = ("inferno", 0.0, largest)
            title = f"speaks for {figure_text(found.said, 24)}"
        else:
            limits = ("coolwarm", -largest, largest)
            title = f"raises (red) or lowers (blue) {name} {found.said:.2f}"
        _overlay(figure, each, pattern, found.values, limits)
        each.set_title(title, fontsize=10)
    for each in axes:
        each.set_xticks([])
        each.set_yticks([])


def _overlay(
    figure: "Figure",
    axes: "Axes",
    pattern: np.ndarray,
    values: np.ndarray,
    limits: tuple[str, float, float],
) -> None:
    """A map over the grey pattern, the more opaque the larger it is."""
    colours, low, high = limits
    axes.imshow(pattern, cmap="gray")
    strength = np.clip(np.abs(values) / max(abs(low), abs(high)), 0, 1)
    shown = axes.imshow(values, cmap=colours, vmin=low, vmax=high, alpha=0.25 + 0.6 * strength)
    bar = figure.colorbar(shown, ax=axes, shrink=0.8, label="Grad-CAM attribution")
    if bar.solids is not None:
        bar.solids.set_alpha(1)  # the bar shows colours, not how opaque they are drawn
