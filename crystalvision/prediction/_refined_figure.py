"""Draws refinements as people in the field read them: measured, calculated, difference, ticks."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.errors import InputError
from crystalvision.figures import COLOURS, drawing
from crystalvision.prediction._refine import RefinedPattern
from crystalvision.samples import Refinement
from crystalvision.storage import whole_file
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = (8.0, 3.4)  # [inches]
_TICK = 0.045  # of the height of the pattern
_MOST = 6


def refined_figure(found: RefinedPattern, most: int = 3) -> "Figure":
    """A panel for each of the best refinements, one below the other.

    Args:
        found: The pattern, of one dimension and one channel.
        most: Refinements to show.

    Raises:
        InputError: A pattern of more dimensions, or nothing that was fitted.
    """
    from matplotlib.figure import Figure

    if len(found.axes) != 1 or not found.refinements:
        what = "nothing was fitted to it" if len(found.axes) == 1 else "it is no curve"
        raise InputError(f"{found.name}: no refinement can be drawn: {what}")
    shown = found.refinements[: min(most, _MOST)]
    with drawing():
        figure = Figure(figsize=(_PANEL[0], _PANEL[1] * len(shown)), layout="constrained")
        axes = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
        for each, refinement in zip(axes, shown, strict=True):
            _draw(each, found, refinement)
        axes[-1].set_xlabel(found.axes[0].label)
        verdict = ": none of these" if found.refused else ""
        figure.suptitle(figure_text(f"{found.name}{verdict}", 90), fontsize=10)
    return figure


def draw_refined(found: RefinedPattern, path: Path, most: int = 3) -> None:
    """Write a PNG of `refined_figure`.

    Raises:
        InputError: As for `refined_figure`.
        StorageError: The disk refuses.
    """
    figure = refined_figure(found, most)
    with drawing(), whole_file(path, overwrite=True) as partial:
        figure.savefig(partial, format="png", dpi=130)


def _draw(axes: "Axes", found: RefinedPattern, refinement: Refinement) -> None:
    place = found.axes[0].values()
    measured = found.measured[0]
    seen = np.isfinite(measured)
    calculated = np.where(seen, refinement.calculated[0], np.nan)
    # Nothing holds a background where nothing was measured: it may be of any height there.
    background = np.where(seen, refinement.background[0], np.nan)
    greatest = float(np.nanmax(np.concatenate([measured, calculated])))
    axes.plot(place, measured, ".", color="#1c1c1c", markersize=2.0, label="measured")
    axes.plot(place, calculated, color=COLOURS[1], linewidth=1.0, label="calculated")
    axes.plot(place, background, "--", color="#8a8a8a", linewidth=0.8, label="background")
    low = -_TICK * greatest
    for number, part in enumerate(refinement.parts):
        height = low - number * 1.3 * _TICK * greatest
        colour = COLOURS[2 + number % 4]
        share = f" {part.weight_fraction:.0%}" if len(refinement.parts) > 1 else ""
        axes.vlines(part.marks, height - _TICK * greatest, height, color=colour, linewidth=0.7)
        axes.plot([], [], "|", color=colour, label=figure_text(f"{part.candidate}{share}", 40))
    difference = measured - calculated
    lowest = low - 1.3 * _TICK * greatest * len(refinement.parts)
    middle = lowest - float(np.nanmax(difference)) - 0.02 * greatest
    axes.axhline(middle, color="#c8c8c8", linewidth=0.6)
    axes.plot(place, difference + middle, color=COLOURS[0], linewidth=0.8, label="difference")
    axes.set_ylabel("counts")
    axes.set_title(
        figure_text(
            f"R_wp {refinement.residual:.1%}, misfit {refinement.misfit:.3f}{_bounds(refinement)}",
            110,
        ),
        fontsize=9,
        loc="left",
    )
    axes.legend(loc="upper right", ncols=1, fontsize=8)


def _bounds(refinement: Refinement) -> str:
    """What is at an end of what a fit allows, in words."""
    found = dict.fromkeys(refinement.at_bounds)
    for part in refinement.parts:
        of = f" of {part.candidate}" if len(refinement.parts) > 1 else ""
        found |= dict.fromkeys(f"{name}{of}" for name in part.at_bounds)
    words = ", ".join(name.replace("_", " ") for name in found)
    return f"; at its bound: {words}" if words else ""
