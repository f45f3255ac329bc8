"""How the figure of a card looks."""

from collections.abc import Iterator
from contextlib import contextmanager

from crystalvision.text import figure_text

INK = "#1c1c1c"
FAINT = "#6a6a6a"
DPI = 100
_ALL = 10_000  # letters
WIDTH = 10.0  # inches: 1000 pixels

# Okabe & Ito (2008), then Tol's muted ones (SRON/EPS/TN/09-002): told apart with any colour vision.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"),
    *("#332288", "#999933", "#882255", "#44AA99", "#AA4499"),
)

_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": INK,
    "axes.labelsize": 9.0,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9.0,
    "legend.fontsize": 9.0,
    "legend.frameon": False,
    "text.parse_math": False,  # a class may have "$" in its name
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Within it, matplotlib draws in our style, whatever the user's settings are."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def shortened(text: str, inches: float) -> str:
    """A text that fits so many inches in 9 points, its end left out where it is too long."""
    room = max(4, int(inches * 13))
    shown = figure_text(text, _ALL)
    return shown if len(shown) <= room else f"{shown[: room - 1]}…"
