"""How the columns that vary are distributed in each class."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num

from crystalvision.cards._style import COLOURS, FAINT, INK, WIDTH, shortened
from crystalvision.datasets import LABEL, SPECIMEN, Dataset
from crystalvision.text import figure_text, unit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS_SHOWN = 24
_FEW = 8  # values that are drawn as categories
_MOST_BINS = 24
_LOG_RANGE = 15.0  # of the middle four fifths of the values, from which the axis is logarithmic
_BAND = 0.2  # inches for the histogram of one class
_LOWEST = 0.9  # inches for those of all classes
_AROUND = 0.58  # inches for the axis below and its name
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
    def panel_height(self) -> float:
        """Height of a panel without the axis below it [inch]."""
        return max(_LOWEST, len(self.classes) * _BAND)

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
        return self.legend_height + -(-len(self.panels) // self.across) * (
            self.panel_height + _AROUND
        )


def choose_panels(dataset: Dataset) -> Panels:
    """Find the columns whose values differ between samples of one class.

    Raises:
        StorageError: The data cannot be read.
    """
    header = dataset.header
    names = header.class_names
    if 0 < len(names) <= len(COLOURS):
        labels = dataset.column(LABEL)
        chosen = [np.flatnonzero(labels == index) for index in range(len(names))]
    else:
        names = ("all classes",) if names else ("all samples",)
        chosen = [np.arange(len(dataset))]
    panels = []
    for name, column in header.columns.items():
        if name in {LABEL, SPECIMEN} or column.shape:
            continue
        parts = tuple(_finite(dataset.column(name)[rows]) for rows in chosen)
        if any(part.size and part.min() < part.max() for part in parts):
            unit = unit_text(column.units)
            panels.append(Panel(f"{name} [{unit}]" if unit else name, parts))
    return Panels(names, tuple(panels[:_COLUMNS_SHOWN]), len(panels[_COLUMNS_SHOWN:]))


def draw_panels(figure: "Figure", panels: Panels, top: float) -> None:
    """Draw them below `top`, a height above the figure's lower edge [inch]."""
    width, height = figure.get_size_inches()
    _draw_legend(figure, panels, top)
    step = width / panels.across
    left = 0.5 if len(panels.classes) == 1 else 0.15
    for index, panel in enumerate(panels.panels):
        row, place = divmod(index, panels.across)
        bottom = top - panels.legend_height - (row + 1) * (panels.panel_height + _AROUND) + 0.48
        corner = (place * step + left) / width, bottom / height
        size = (step - left - 0.2) / width, panels.panel_height / height
        axes = figure.add_axes((*corner, *size))
        _draw_panel(axes, panel)
        axes.set_xlabel(
            figure_text(panel.label), labelpad=2, fontsize=_fitting(panel.label, step - 0.1)
        )


def _draw_legend(figure: "Figure", panels: Panels, top: float) -> None:
    from matplotlib.patches import Patch

    width, height = figure.get_size_inches()
    figure.legend(
        [Patch(color=_colour(index)) for index in range(len(panels.classes))],
        [shortened(name, 3.2) for name in panels.classes],
        loc="upper left",
        bbox_to_anchor=(0.0, top / height),
        ncols=panels.legend_columns,
        borderaxespad=0.2,
        labelspacing=0.3,
        handlelength=1.2,
    )
    text = "number of samples"
    if len(panels.classes) > 1:
        text = "number of samples, a band for each class from the top, relative to its highest bar"
    if panels.left_out:
        text += f"; {panels.left_out} more columns vary"
    place = 0.06 / width, (top - panels.legend_height + 0.12) / height
    figure.text(*place, text, color=FAINT, fontsize=8.5)


def _draw_panel(axes: "Axes", panel: Panel) -> None:
    """Histograms over the same bins, one above the other."""
    from matplotlib.ticker import MaxNLocator

    edges, labels = _bins(np.concatenate(panel.values).astype(np.float64))
    bands = len(panel.values)
    for index, values in enumerate(panel.values):
        counts = np.histogram(values.astype(np.float64), edges)[0].astype(np.float64)
        base = bands - 1 - index
        if bands > 1:
            counts *= 0.85 / max(counts.max(), 1)
            axes.axhline(base, color="#cccccc", lw=0.6)
        if labels is None:
            axes.stairs(counts + base, edges, baseline=base, fill=True, color=_colour(index))
        else:
            axes.bar(range(len(labels)), counts, 0.7, base, color=_colour(index))
    if labels is not None:
        axes.set_xticks(range(len(labels)), labels)
    elif _is_logarithmic(edges):
        _scale_logarithmically(axes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
    axes.tick_params(pad=2, colors=INK)
    if bands > 1:
        axes.set_ylim(0, bands)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))


def _bins(values: Float[np.ndarray, "n"]) -> tuple[Float[np.ndarray, "bins"], list[str] | None]:
    """Edges of the bins, and the names of their values where these are few."""
    found, counts = np.unique(values, return_counts=True)
    rest = len(values) - counts.max()
    if len(found) <= _FEW and rest >= 3 * (len(found) - 1):
        between = (found[1:] + found[:-1]) / 2
        names = [f"{value:.3g}".replace("e+0", "e") for value in found]
        if sum(map(len, names)) > 26:
            names = [name if index % 2 == 0 else "" for index, name in enumerate(names)]
        return np.concatenate([[found[0] - 1], between, [found[-1] + 1]]), names
    number = int(np.clip(np.sqrt(len(values)), 6, _MOST_BINS))
    low, high = found[0], found[-1]
    lower, upper = np.quantile(values, [0.1, 0.9])
    if low > 0 and upper / lower > _LOG_RANGE:
        return np.geomspace(low, high, number + 1), None
    return np.linspace(low, high, number + 1), None


def _is_logarithmic(edges: Float[np.ndarray, "bins"]) -> bool:
    steps = np.diff(edges)
    return bool(edges[0] > 0 and steps[-1] > 2 * steps[0])


def _scale_logarithmically(axes: "Axes") -> None:
    """A logarithmic axis whose numbers are plain text."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _fitting(text: str, inches: float) -> float:
    """The size in which a name of any length fits [point]."""
    return float(np.clip(9 * 13 * inches / len(text), 5, 9))


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _finite(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values
