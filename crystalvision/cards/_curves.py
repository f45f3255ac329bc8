"""Sample patterns of one dimension as curves, a panel for each class."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crystalvision.cards._classes import choose_patterns
from crystalvision.cards._style import COLOURS, FAINT, INK, WIDTH, shortened
from crystalvision.contracts import Axis
from crystalvision.datasets import Dataset
from crystalvision.text import axis_label, figure_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ACROSS = 3  # panels in a row
_PANEL = 1.5  # inches
_TITLE = 0.28
_AROUND = 0.5  # inches for the axis below and its name
_LEFT = 0.55  # inches for the numbers at the left
_CAPTION = 0.24


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of each class.

    Attributes:
        names: What stands above each class.
        values: For each class its curves, (n, points); nan where a point was not measured.
        axis: What they run along.
        caption: What their height means.
    """

    names: tuple[str, ...]
    values: tuple[Float[np.ndarray, "n points"], ...]
    axis: Axis
    caption: str

    @property
    def across(self) -> int:
        """Panels in a row."""
        return min(len(self.names), _ACROSS)

    @property
    def width(self) -> float:
        """Width of all of it [inch]."""
        return WIDTH

    @property
    def height(self) -> float:
        """Height of all of it [inch]."""
        return -(-len(self.names) // self.across) * (_TITLE + _PANEL + _AROUND) + _CAPTION


def choose_curves(dataset: Dataset) -> Curves:
    """Read the first curves of each class.

    Raises:
        StorageError: The data cannot be read.
    """
    header = dataset.header
    shown = choose_patterns(dataset)
    values = []
    for images, seen in zip(shown.images, shown.seen, strict=True):
        curves = images.astype(np.float64).sum(axis=1)
        if seen is not None:
            curves = np.where(seen.all(axis=1), curves, np.nan)
        values.append(curves)
    channels = header.image_shape[0]
    caption = "counts" if header.dtype != "float32" else "values"
    if channels > 1:
        caption += f", sum of {channels} channels"
    if header.seen is not None:
        caption += "; no line where nothing was measured"
    return Curves(shown.names, tuple(values), header.axes[0], f"{caption}{shown.left_out}")


def draw_curves(figure: "Figure", curves: Curves, top: float) -> None:
    """Draw them below `top`, a height above the figure's lower edge [inch]."""
    width, height = figure.get_size_inches()
    step = width / curves.across
    places = curves.axis.values()
    for index, (name, values) in enumerate(zip(curves.names, curves.values, strict=True)):
        row, place = divmod(index, curves.across)
        upper = top - row * (_TITLE + _PANEL + _AROUND) - _TITLE
        corner = (place * step + _LEFT) / width, (upper - _PANEL) / height
        axes = figure.add_axes((*corner, (step - _LEFT - 0.15) / width, _PANEL / height))
        for number, curve in enumerate(values):
            axes.plot(places, curve, lw=0.8, color=COLOURS[number % len(COLOURS)])
        axes.set_xlim(places[0], places[-1] if len(places) > 1 else places[0] + curves.axis.scale)
        axes.set_xlabel(figure_text(axis_label(curves.axis)), labelpad=2)
        axes.tick_params(pad=2, colors=INK)
        where = (place * step + 0.06) / width, (upper + 0.06) / height
        figure.text(*where, shortened(name, step), color=INK, fontweight="bold")
        if not len(values):
            axes.text(0.5, 0.5, "no sample", color=FAINT, transform=axes.transAxes, ha="center")
    text = (0.06 / width, (top - curves.height + 0.06) / height, curves.caption)
    figure.text(*text, color=FAINT, fontsize=8.5)
