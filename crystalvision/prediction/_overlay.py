"""Draws explanations over their patterns: maps over images, coloured curves."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crystalvision.prediction._explain import Explanation, TargetMap
from crystalvision.storage import whole_file
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = "Grad-CAM attribution"


Marks = Mapping[str, Float[np.ndarray, "_"]]
"""Where classes should show themselves on the axis of a curve, such as reflections, by name."""

_NO_MARKS: Marks = MappingProxyType({})


def draw_explanation(
    explanation: Explanation, path: Path, title: str, marks: Marks = _NO_MARKS
) -> None:
    """Write a PNG: the pattern, what speaks for its classes, and what moves its numbers.

    Args:
        explanation: What to draw.
        path: The file.
        title: What to call the pattern.
        marks: As for `explanation_figure`.

    Raises:
        StorageError: The disk refuses.
    """
    import matplotlib.style

    with matplotlib.style.context(["default", {"text.parse_math": False}]):
        figure = explanation_figure(explanation, title, marks)
        with whole_file(path, overwrite=True) as partial:
            figure.savefig(partial, format="png", dpi=120)


def explanation_figure(explanation: Explanation, title: str, marks: Marks = _NO_MARKS) -> "Figure":
    """The same as a figure: panels beside each other of an image, below each other of a curve.

    Args:
        explanation: What to draw.
        title: What to call the pattern.
        marks: Ticks below a curve for the classes that are said of it [units of its axis].
    """
    from matplotlib.figure import Figure

    curve = explanation.pattern.ndim == 2
    panels = len(explanation.maps) + (not curve)
    size = (9, 1 + 2.3 * panels) if curve else (11 * panels / 3, 4)
    figure = Figure(figsize=size, layout="constrained")
    rows, columns = (panels, 1) if curve else (1, panels)
    axes = figure.subplots(rows, columns, sharex=curve, squeeze=False).ravel()
    if curve:
        _draw_curves(figure, axes, explanation, marks)
    else:
        _draw_images(figure, axes, explanation)
    figure.suptitle(figure_text(title, 90), fontsize=10)
    return figure


def _look(found: TargetMap) -> tuple[str, str, float, float]:
    """What stands above a map, and its colours with their ends."""
    largest = max(float(np.abs(found.values).max()), 1e-12)
    name = figure_text(found.target, 24)
    if isinstance(found.said, str):
        return f"speaks for {figure_text(found.said, 24)}", "inferno", 0.0, largest
    return f"raises (red) or lowers (blue) {name} {found.said:.2f}", "coolwarm", -largest, largest


def _draw_images(figure: "Figure", axes: np.ndarray, explanation: Explanation) -> None:
    pattern = np.log1p(explanation.pattern.sum(axis=0))
    shown = axes[0].imshow(pattern, cmap="gray")
    figure.colorbar(shown, ax=axes[0], shrink=0.8, label="ln(1 + counts)")
    axes[0].set_title("pattern", fontsize=10)
    for each, found in zip(axes[1:], explanation.maps, strict=True):
        _overlay(figure, each, pattern, found)
    for each in axes:
        each.set_xticks([])
        each.set_yticks([])


def _overlay(figure: "Figure", axes: "Axes", pattern: np.ndarray, found: TargetMap) -> None:
    """A map over the grey pattern, the more opaque the larger it is."""
    title, colours, low, high = _look(found)
    axes.imshow(pattern, cmap="gray")
    strength = np.clip(np.abs(found.values) / max(abs(low), abs(high)), 0, 1)
    shown = axes.imshow(
        found.values, cmap=colours, vmin=low, vmax=high, alpha=0.25 + 0.6 * strength
    )
    bar = figure.colorbar(shown, ax=axes, shrink=0.8, label=_BAR)
    if bar.solids is not None:
        bar.solids.set_alpha(1)  # the bar shows colours, not how opaque they are drawn
    axes.set_title(title, fontsize=10)


def _draw_curves(
    figure: "Figure", axes: np.ndarray, explanation: Explanation, marks: Marks
) -> None:
    """The curve above a band of each map's colours, along the axis that both have."""
    (axis,), counts = explanation.axes, explanation.pattern.sum(axis=0)
    places, half = axis.values(), axis.scale / 2
    # The root shows weak peaks beside strong ones, and noise of one size everywhere.
    curve = np.sqrt(np.clip(counts, 0, None))
    top = 1.08 * max(float(curve.max()), 1.0)
    for each, found in zip(axes, explanation.maps, strict=True):
        title, colours, low, high = _look(found)
        shown = each.imshow(
            found.values[None],
            cmap=colours,
            vmin=low,
            vmax=high,
            alpha=0.75,
            aspect="auto",
            interpolation="nearest",
            extent=(places[0] - half, places[-1] + half, 0.0, top),
        )
        each.plot(places, curve, color="white", lw=2.0)
        each.plot(places, curve, color="black", lw=0.9)
        ticks = marks.get(str(found.said))
        if ticks is not None:
            shown_there = ticks[(ticks >= places[0]) & (ticks <= places[-1])]
            each.vlines(shown_there, -0.1 * top, -0.02 * top, color="#009E73", lw=0.8)
            title += ", with its reflections"
        each.set_ylim(0 if ticks is None else -0.12 * top, top)
        each.set_ylabel("√counts")
        each.set_title(title, fontsize=10)
        bar = figure.colorbar(shown, ax=each, label=_BAR)
        if bar.solids is not None:
            bar.solids.set_alpha(1)
    axes[-1].set_xlabel(figure_text(axis.label))
