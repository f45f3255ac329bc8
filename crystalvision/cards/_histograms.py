"""How the columns that vary are distributed in each class."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Num

from crystalvision.cards._style import COLOURS, DASHES, FAINT, INK, WIDTH, shortened
from crystalvision.cards._text import unit_of
from crystalvision.datasets import Dataset
from crystalvision.datasets._header import SPECIMEN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS_SHOWN = 16
_FEW = 8  # values that are drawn as categories
_BINS = 24
_LOG_RANGE = 50.0  # greatest over least value from which the axis is logarithmic
_PANEL_HEIGHT = 1.75
_LEGEND_ROW = 0.22


@dataclass(frozen=True, slots=True)
class Panel:
    """The values of one column.

    Attributes:
        label: The column with its units.
        values: Its values in each class that is told apart.
    """

    label: str
    values: tuple[Num[np.ndarray, "n"], ...]


@dataclass(frozen=True, slots=True)
class Panels:
    """Columns that vary.

    Attributes:
        classes: The classes that are told apart; one name for all where there are too many.
        panels: The columns.
        left_out: How many more there are.
    """

    classes: tuple[str, ...]
    panels: tuple[Panel, ...]
    left_out: int

    @property
    def across(self) -> int:
        """Panels in a row."""
        return 3 if len(self.panels) <= 6 else 4

    @property
    def legend_columns(self) -> int:
        """Names in a row of the legend."""
        longest = max(map(len, self.classes))
        return max(1, min(len(self.classes), int(WIDTH / (0.085 * min(longest, 40) + 0.55))))

    @property
    def legend_height(self) -> float:
        """Height of the legend with the line below it [inch]."""
        return -(-len(self.classes) // self.legend_columns) * _LEGEND_ROW + 0.3

    @property
    def height(self) -> float:
        """Height of all of it [inch]."""
        if not self.panels:
            return 0.0
        return self.legend_height + -(-len(self.panels) // self.across) * _PANEL_HEIGHT


def choose_panels(dataset: Dataset) -> Panels:
    """Find the columns whose values differ between samples of one class.

    Raises:
        StorageError: The data cannot be read.
    """
    header = dataset.header
    names = header.class_names
    labels = dataset.column("label")
    chosen = [np.flatnonzero(labels == index) for index in range(len(names))]
    if len(names) > len(COLOURS):
        names, chosen = ("all classes",), [np.arange(len(labels))]
    panels = []
    for name, column in header.columns.items():
        if name in {"label", SPECIMEN}:
            continue
        parts = tuple(_finite(dataset.column(name)[rows]) for rows in chosen)
        if any(part.size and part.min() < part.max() for part in parts):
            unit = unit_of(column.units)
            panels.append(Panel(f"{name} [{unit}]" if unit else name, parts))
    return Panels(names, tuple(panels[:_COLUMNS_SHOWN]), len(panels[_COLUMNS_SHOWN:]))


def draw_panels(figure: "Figure", panels: Panels, top: float) -> None:
    """Draw them below `top`, a height above the figure's lower edge [inch]."""
    width, height = figure.get_size_inches()
    _draw_legend(figure, panels, top)
    step = width / panels.across
    for index, panel in enumerate(panels.panels):
        row, place = divmod(index, panels.across)
        left = place * step + 0.52
        bottom = top - panels.legend_height - (row + 1) * _PANEL_HEIGHT + 0.48
        size = (step - 0.66) / width, (_PANEL_HEIGHT - 0.62) / height
        axes = figure.add_axes((left / width, bottom / height, *size))
        _draw_panel(axes, panel)
        axes.set_xlabel(shortened(panel.label, step - 0.2), labelpad=2)


def _draw_legend(figure: "Figure", panels: Panels, top: float) -> None:
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    handles = [
        Line2D([], [], color=_colour(index), ls=_dashes(index), lw=1.8)
        for index in range(len(panels.classes))
    ]
    figure.legend(
        handles,
        [shortened(name, 3.2) for name in panels.classes],
        loc="upper left",
        bbox_to_anchor=(0.0, top / height),
        ncols=panels.legend_columns,
        borderaxespad=0.2,
        labelspacing=0.3,
    )
    text = "samples of each class; a triangle is a class in which all have one value"
    if panels.left_out:
        text += f"; {panels.left_out} more columns vary"
    place = 0.06 / width, (top - panels.legend_height + 0.1) / height
    figure.text(*place, text, color=FAINT, fontsize=8.5)


def _draw_panel(axes: "Axes", panel: Panel) -> None:
    from matplotlib.ticker import MaxNLocator

    everything = np.concatenate(panel.values).astype(np.float64)
    found = np.unique(everything)
    if len(found) <= _FEW:
        _draw_categories(axes, panel, found)
    else:
        _draw_outlines(axes, panel, everything)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.set_ylim(bottom=0)
    axes.tick_params(pad=2, colors=INK)


def _draw_categories(axes: "Axes", panel: Panel, found: np.ndarray[Any, Any]) -> None:
    """A bar for each value and class, side by side."""
    each = 0.8 / len(panel.values)
    for index, values in enumerate(panel.values):
        counts = [(values == value).sum() for value in found]
        places = np.arange(len(found)) - 0.4 + (index + 0.5) * each
        axes.bar(places, counts, each, color=_colour(index))
    axes.set_xticks(range(len(found)), [f"{value:.4g}" for value in found])


def _draw_outlines(axes: "Axes", panel: Panel, everything: np.ndarray[Any, Any]) -> None:
    """The outline of each class's histogram, all over the same bins."""
    varying = [part for part in panel.values if part.size and part.min() < part.max()]
    drawn = np.concatenate(varying).astype(np.float64)
    low, high = float(drawn.min()), float(drawn.max())
    positive = everything.min() > 0
    if positive and high / low > _LOG_RANGE:
        edges = np.geomspace(low, high, _BINS + 1)
        axes.set_xscale("log")
    else:
        edges = np.linspace(low, high, _BINS + 1)
    height = 1.0
    for index, values in enumerate(panel.values):
        if not values.size:
            continue
        if values.min() == values.max():
            height -= 0.1
            axes.plot(
                float(values[0]),
                max(height, 0.1),
                "v",
                color=_colour(index),
                ms=6,
                transform=axes.get_xaxis_transform(),
                clip_on=False,
            )
            continue
        counts, _ = np.histogram(values.astype(np.float64), edges)
        axes.stairs(counts, edges, color=_colour(index), ls=_dashes(index), lw=1.4)


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _dashes(index: int) -> str:
    return DASHES[index % len(DASHES)]


def _finite(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values
