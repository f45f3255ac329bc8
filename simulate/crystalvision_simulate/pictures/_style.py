"""How the figures look."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

INK = "#1c1c1c"
FAINT = "#8a8a8a"
MARK = "#D55E00"
"""What defects did is drawn in this colour, and nothing else is."""

# Okabe & Ito (2008) without the colour of the marks, then Tol's muted ones (SRON/EPS/TN/09-002):
# told apart with any colour vision.
_COLOURS = (
    *("#56B4E9", "#F0E442", "#009E73", "#CC79A7", "#0072B2", "#E69F00", "#BBBBBB"),
    *("#332288", "#999933", "#882255", "#44AA99", "#AA4499"),
)

COLOUR_MAP = "inferno"

_STYLE = {
    "axes.edgecolor": "#555555",
    "axes.labelcolor": INK,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "font.size": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "svg.hashsalt": "crystalvision",  # the same, byte by byte, when it is made again
    "text.parse_math": False,  # a class may have "$" in its name
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Within it, matplotlib draws in our style, whatever the user's settings are."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def colours_of(elements: Sequence[int]) -> dict[int, str]:
    """A colour for each atomic number."""
    return {
        number: _COLOURS[place % len(_COLOURS)]
        for place, number in enumerate(dict.fromkeys(elements))
    }
