"""Where the pictures of a figure stand, in inches: every text has its room, whatever is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crystalvision_simulate.pictures._view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE = 2.6  # of a picture among several rows
_LARGE = 3.6  # the same, where a figure shows one sample
_LOW, _CURVE = 1.7, 4.0  # height of curves alone, and their width as a multiple of it
_MARGIN = 0.15
_TITLE = 0.35  # above all rows
_LEGEND = 0.3  # below all rows
_LINE = 0.165  # a line of words
_HEADING = 0.24  # above each picture
_TICKS_LEFT = 0.52
_TICKS_BELOW = 0.4
_BAR = 0.82  # a bar of colours with its ticks and its name
_GAP = 0.12


@dataclass(frozen=True, slots=True)
class GridCell:
    """The place of one picture: lower left corner, height and width [inches]."""

    left: float
    bottom: float
    side: float
    width: float

    def add_axes(self, figure: "Figure") -> "Axes":
        """Axes in this place."""
        width, height = figure.get_size_inches()
        return figure.add_axes(
            (self.left / width, self.bottom / height, self.width / width, self.side / height)
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of everything in a figure [inches].

    Attributes:
        width: Width of the figure.
        height: Its height.
        words: For each row, the height of its first line of words.
        cells: For each row, the places of its pictures: the crystal's first, if any has one.
    """

    width: float
    height: float
    words: tuple[float, ...]
    cells: tuple[tuple[GridCell, ...], ...]


def lay_out(views: Sequence[View], lines: Sequence[int]) -> Layout:
    """Lay rows out, each as wide as the one of most pictures; a single sample's four two by two.

    Args:
        views: The samples.
        lines: How many lines of words each has.
    """
    side = _LARGE if len(views) == 1 else _SIDE
    curves = _are_curves(views)
    side = _LOW if curves else side
    widths = _widths(views, side)
    across = 2 if len(views) == 1 and len(widths) == 4 else len(widths)
    lefts = [_MARGIN]
    for column in range(across):
        lefts.append(lefts[-1] + max(widths[column::across]))
    down = len(widths) // across
    block = _HEADING + side + _TICKS_BELOW
    heights = [count * _LINE + down * block + _GAP for count in lines]
    total = _TITLE + sum(heights) + _LEGEND
    top, words, cells = total - _TITLE, [], []
    for height, count in zip(heights, lines, strict=True):
        words.append(top)
        first = top - count * _LINE - _HEADING - side
        cells.append(
            tuple(
                GridCell(
                    lefts[place % across] + inset,
                    first - (place // across) * block,
                    side,
                    side * (_CURVE if inset and curves else 1),
                )
                for place, inset in enumerate(_insets(views))
            )
        )
        top -= height
    return Layout(lefts[-1], total, tuple(words), tuple(cells))


def _are_curves(views: Sequence[View]) -> bool:
    """Whether there is nothing but curves to show, which are wider than high."""
    return all(
        view.crystal is None and all(len(each.axes) == 1 for each in view.patterns)
        for view in views
    )


def _insets(views: Sequence[View]) -> list[float]:
    """Room on the left of each picture of a row: none for a crystal, which has no ticks."""
    crystal = any(view.crystal is not None for view in views)
    patterns = max(len(view.patterns) for view in views)
    return [0.0] * crystal + [_TICKS_LEFT] * patterns


def _widths(views: Sequence[View], side: float) -> list[float]:
    """The width of each picture of a row with all that belongs to it."""
    crystal = any(view.crystal is not None for view in views)
    patterns = max(views, key=lambda view: len(view.patterns)).patterns
    widths = [side] * crystal
    for place, pattern in enumerate(patterns):
        shared = place + 1 < len(patterns) and patterns[place + 1].unit == pattern.unit
        picture = side * (_CURVE if _are_curves(views) else 1)
        widths.append(_TICKS_LEFT + picture + (_GAP if shared else _BAR))
    return widths
