"""Draws samples in one figure."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalvision.text import figure_text
from crystalvision_simulate.pictures._draw_crystal import draw_crystal
from crystalvision_simulate.pictures._draw_pattern import draw_colour_bar, draw_pattern, scale_of
from crystalvision_simulate.pictures._layout import GridCell, lay_out
from crystalvision_simulate.pictures._style import FAINT, INK, MARK, colours_of, drawing
from crystalvision_simulate.pictures._view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKS: dict[str, dict[str, Any]] = {
    "vacant": {"label": "empty site", "mfc": "none", "mec": MARK},
    "substituted": {"label": "another element on the site", "mfc": FAINT, "mec": MARK, "mew": 1.3},
    "between": {"label": "atom off the sites", "marker": "D", "mfc": FAINT, "mec": MARK},
    "moved": {"label": "motion from the site, enlarged as stated", "marker": ">", "color": INK}
    | {"linestyle": "-", "linewidth": 1.0, "markersize": 4},
}
_LETTERS_AN_INCH = 13.5


def draw_figure(views: Sequence[View], title: str) -> "Figure":
    """Draw samples, a row each; a single sample's pictures two by two.

    Args:
        views: The samples.
        title: What the figure is of.
    """
    from matplotlib.figure import Figure

    width = lay_out(views, [1] * len(views)).width
    words = [_words(view, width) for view in views]
    layout = lay_out(views, [len(lines) for lines in words])
    colours = colours_of(sorted({number for view in views for number in _elements(view)}))
    found: set[str] = set()
    with drawing():
        figure = Figure(figsize=(layout.width, layout.height), facecolor="white")
        edge = 0.15 / layout.width
        figure.text(
            edge, 1 - 0.1 / layout.height, figure_text(title), va="top", fontsize=11, weight="bold"
        )
        for view, lines, top, cells in zip(views, words, layout.words, layout.cells, strict=True):
            for place, line in enumerate(lines):
                figure.text(
                    edge,
                    (top - 0.165 * place) / layout.height,
                    line,
                    va="top",
                    weight="normal" if place else "bold",
                )
            found |= _draw_row(figure, view, cells, colours)
        _draw_legend(figure, colours, found)
    return figure


def _words(view: View, width: float) -> list[str]:
    """The lines above a row of some width [inches]: its name, then how it was taken."""
    rest = "; ".join(part for part in (view.details, view.note) if part)
    return [figure_text(view.name), *textwrap.wrap(rest, int(_LETTERS_AN_INCH * width))]


def _elements(view: View) -> list[int]:
    if view.crystal is None:
        return []
    both = [view.crystal.specimen.numbers, view.crystal.comparison.elements]
    return [int(number) for number in np.unique(np.concatenate(both))]


def _draw_row(
    figure: "Figure", view: View, cells: Sequence[GridCell], colours: Mapping[int, str]
) -> set[str]:
    """Draw one sample; returns the marks on its crystal."""
    found: set[str] = set()
    if view.crystal is not None:
        found = draw_crystal(cells[0].add_axes(figure), view.crystal, colours)
    rest = iter(cells[len(cells) - len(view.patterns) :])
    # Patterns of one unit stand side by side and share one scale of colours.
    for unit, group in groupby(view.patterns, key=lambda pattern: pattern.unit):
        patterns = list(group)
        norm = scale_of(patterns)
        for pattern in patterns:
            axes = next(rest).add_axes(figure)
            image = draw_pattern(axes, pattern, norm)
        if image is not None and len(patterns[-1].image) == 1:
            draw_colour_bar(axes, image, unit)
    return found


def _draw_legend(figure: "Figure", colours: Mapping[int, str], found: set[str]) -> None:
    """The elements and the marks that occur, below everything."""
    from ase.data import chemical_symbols
    from matplotlib.lines import Line2D

    marks: list[dict[str, Any]] = [
        {"label": chemical_symbols[number], "mfc": colour, "mec": "#444444"}
        for number, colour in colours.items()
    ]
    marks += [mark for name, mark in _MARKS.items() if name in found]
    plain = {"linestyle": "none", "marker": "o", "markersize": 7.0}
    handles = [Line2D([], [], **{**plain, **mark}) for mark in marks]
    if handles:
        figure.legend(
            handles=handles, loc="lower left", ncols=len(handles), handletextpad=0.3, borderpad=0.4
        )
