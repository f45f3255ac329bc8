"""Draws a pattern with its spots and the indices that were found for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.figures import COLOURS
from crystalvision.text import figure_text
from crystalvision_simulate.indexing._index import Indexed
from crystalvision_simulate.indexing._spots import PatternSpots
from crystalvision_simulate.microscope import Analysed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABELS = 24
_LISTED = 8


def draw_indexed(
    pattern: PatternSpots, analysed: Analysed, found: Sequence[Indexed], title: str
) -> "Figure":
    """The picture with spots (circles), the reflections of the best explanation (crosses), a list.

    Args:
        pattern: The spots.
        analysed: The picture.
        found: Explanations, the best first.
        title: What to call the picture.
    """
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 6.4))
    left, right = figure.subplots(1, 2, width_ratios=[1.7, 1])
    counts = analysed.measured.counts
    low = float(np.quantile(counts[analysed.seen], 0.01))
    values = np.log1p(np.clip(counts - low, 0, None))
    norm = Normalize(0, float(np.quantile(values[analysed.seen], 0.999)) or 1.0)
    shown = np.where(analysed.hidden, np.nan, values)
    left.set_facecolor("#e4c9a8")
    left.imshow(shown, cmap="gray_r", norm=norm, interpolation="nearest")
    _mark(left, pattern, found[0] if found else None)
    left.set_xlim(-0.5, counts.shape[1] - 0.5)
    left.set_ylim(counts.shape[0] - 0.5, -0.5)
    left.grid(visible=False)
    left.set_xlabel("column x [px]")
    left.set_ylabel("row y [px]")
    left.set_title(figure_text(title, 70), loc="left", fontsize=10)
    right.axis("off")
    lines = ["score   spots   zone axis   candidate"]
    lines += [
        f"{one.score:5.2f}  {one.explained:3d}/{one.spots:<3d}  "
        f"{axis_text(one.zone_axis):>11}  {figure_text(one.name, 24)}"
        for one in found[:_LISTED]
    ]
    right.text(0, 1, "\n".join(lines), va="top", family="monospace", fontsize=8.5)
    return figure


def axis_text(axis: Sequence[int]) -> str:
    """Such as `[1 -1 0]`."""
    return "[" + " ".join(map(str, axis)) + "]"


def _mark(axes: "Axes", pattern: PatternSpots, best: Indexed | None) -> None:
    axes.plot(*pattern.centre, "+", color=COLOURS[0], ms=14, mew=1.6)
    spots = pattern.points(pattern.g)
    known = np.zeros(len(spots), bool)
    if best is not None:
        known[:] = best.hkl.any(axis=1)
    for which, colour, name in ((known, COLOURS[2], "explained"), (~known, COLOURS[1], "not")):
        x, y = spots[which].T
        axes.scatter(x, y, s=90, facecolors="none", edgecolors=colour, lw=1.1, label=name)
    if best is None:
        return
    x, y = pattern.points(best.calculated).T
    axes.scatter(x, y, s=16, marker="x", color=COLOURS[3], lw=0.8, label="calculated")
    nearest = np.argsort(np.hypot(*pattern.g.T), kind="stable")
    for number in [one for one in nearest if known[one]][:_LABELS]:
        text = " ".join(map(str, best.hkl[number].tolist()))
        axes.annotate(
            text,
            spots[number],
            textcoords="offset points",
            xytext=(6, 6),
            fontsize=7.5,
            color=COLOURS[2],
        )
    axes.legend(loc="lower right", fontsize=8)
