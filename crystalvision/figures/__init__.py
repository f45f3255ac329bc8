"""Figures that more than one part of the toolkit draws, and how all of them look."""

from crystalvision.figures._measured import draw_measured
from crystalvision.figures._style import (
    COLOURS,
    DASHES,
    FAINT,
    INK,
    MARKERS,
    drawing,
    look,
    new_figure,
    new_grid,
    wrapped,
)
from crystalvision.figures._training import draw_phase, kept_weights

__all__ = [
    "COLOURS",
    "DASHES",
    "FAINT",
    "INK",
    "MARKERS",
    "draw_measured",
    "draw_phase",
    "drawing",
    "kept_weights",
    "look",
    "new_figure",
    "new_grid",
    "wrapped",
]
