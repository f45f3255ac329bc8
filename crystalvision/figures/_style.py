"""How figures look: on a page, in a run folder, in a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito (2008): told apart with any colour vision; markers and dashes say the same again.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
INK = "#1c1c1c"
FAINT = "#8a8a8a"

_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 10.0,
    "grid.color": "#e4e4e4",
    "legend.fontsize": 9.0,
    "legend.frameon": False,
    "svg.fonttype": "path",  # a page looks the same whatever fonts its reader has
    "svg.hashsalt": "crystalvision",  # and is the same, byte by byte, when it is made again
    "text.parse_math": False,  # a class may have "$" in its name
}


@contextmanager
def drawing() -> Iterator[None]:
    """Within it, matplotlib draws in our style, whatever the user's settings are."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def new_figure(
    width: float = 4.6, height: float = 3.9, rows: int = 1
) -> "tuple[Figure, list[Axes]]":
    """A figure with axes one below the other, outside pyplot's global list [inches]."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    grid = figure.subplots(rows, 1, squeeze=False, sharex=True)
    return figure, list(grid[:, 0])


def new_grid(
    width: float, height: float, ratio: float, columns: int
) -> "tuple[Figure, tuple[list[Axes], Axes]]":
    """A figure with axes side by side above one that is as wide as all of them [inches].

    Args:
        width: Of the figure.
        height: Of it.
        ratio: How much higher the upper row is.
        columns: Axes in it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    spec = figure.add_gridspec(2, columns, height_ratios=[ratio, 1])
    top = [figure.add_subplot(spec[0, column]) for column in range(columns)]
    return figure, (top, figure.add_subplot(spec[1, :]))


def look(index: int) -> tuple[str, str, Any]:
    """Colour, marker and dashes of a class; no two of the first 49 have the same."""
    other = index + index // len(COLOURS)
    return (
        COLOURS[index % len(COLOURS)],
        MARKERS[other % len(MARKERS)],
        DASHES[other % len(DASHES)],
    )


def wrapped(name: str, length: int = 12) -> str:
    """A class's name on several short lines, of which there are at most four."""
    lines = [""]
    words = figure_text(name, 4 * length).replace("_", "_ ").split()
    for word in (part for each in words for part in _parts(each, 2 * length)):
        if lines[-1] and len(lines[-1]) + len(word) > length:
            lines.append("")
        lines[-1] += word if lines[-1].endswith("_") or not lines[-1] else f" {word}"
    return "\n".join(lines)


def _parts(word: str, length: int) -> list[str]:
    """A word in pieces that are no longer than that."""
    return [word[start : start + length] for start in range(0, len(word), length)]
