"""Draws explanations over their patterns."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.prediction._explain import Explanation
from crystalvision.storage import whole_file
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_explanation(explanation: Explanation, path: Path, title: str) -> None:
    """Write a PNG: the pattern, what speaks for its classes, and what moves its numbers.

    Raises:
        StorageError: The disk refuses.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", {"text.parse_math": False}]):
        panels = 1 + len(explanation.maps)
        figure = Figure(figsize=(11 * panels / 3, 4), layout="constrained")
        axes = figure.subplots(1, panels)
        _draw(figure, axes, explanation)
        figure.suptitle(figure_text(title, 90), fontsize=10)
        with whole_file(path, overwrite=True) as partial:
            figure.savefig(partial, format="png", dpi=120)


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
