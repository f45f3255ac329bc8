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
    """Write a PNG: the pattern, what speaks for its class, and what moves its severity.

    Raises:
        StorageError: The disk refuses.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", {"text.parse_math": False}]):
        figure = Figure(figsize=(11, 4), layout="constrained")
        axes = figure.subplots(1, 3)
        _draw(figure, axes, explanation)
        figure.suptitle(figure_text(title, 90), fontsize=10)
        with whole_file(path, overwrite=True) as partial:
            figure.savefig(partial, format="png", dpi=120)


def _draw(figure: "Figure", axes: np.ndarray, explanation: Explanation) -> None:
    pattern = np.log1p(explanation.pattern.sum(axis=0))
    shown = axes[0].imshow(pattern, cmap="gray")
    figure.colorbar(shown, ax=axes[0], shrink=0.8, label="ln(1 + counts)")
    axes[0].set_title("pattern", fontsize=10)
    highest = max(float(explanation.class_map.max()), 1e-12)
    _overlay(figure, axes[1], pattern, explanation.class_map, ("inferno", 0.0, highest))
    axes[1].set_title(f"speaks for {figure_text(explanation.class_name, 24)}", fontsize=10)
    largest = max(float(np.abs(explanation.severity_map).max()), 1e-12)
    limits = ("coolwarm", -largest, largest)
    _overlay(figure, axes[2], pattern, explanation.severity_map, limits)
    told = f"raises (red) or lowers (blue) severity {explanation.severity:.2f}"
    axes[2].set_title(told, fontsize=10)
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
