"""The figure of a card: sample patterns of each class above the histograms of the columns."""

import io

from crystalvision.cards._curves import Curves, choose_curves, draw_curves
from crystalvision.cards._histograms import choose_panels, draw_panels
from crystalvision.cards._patterns import choose_tiles, draw_tiles
from crystalvision.cards._style import DPI, WIDTH, drawing
from crystalvision.datasets import Dataset

_NARROWEST = 5.0  # inches, for the name of a class and the caption


def figure_png(dataset: Dataset) -> bytes:
    """The figure as PNG, 1000 pixels wide; the same, byte by byte, when it is made again.

    Raises:
        StorageError: The data cannot be read.
    """
    from matplotlib.figure import Figure

    shown = (choose_curves if len(dataset.header.axes) == 1 else choose_tiles)(dataset)
    panels = choose_panels(dataset)
    width = WIDTH if panels.panels else max(shown.width, _NARROWEST)
    height = shown.height + panels.height
    buffer = io.BytesIO()
    with drawing():
        figure = Figure(figsize=(width, height), dpi=DPI)
        if isinstance(shown, Curves):
            draw_curves(figure, shown, height)
        else:
            draw_tiles(figure, shown, height)
        if panels.panels:
            draw_panels(figure, panels, panels.height)
        # No version of matplotlib in it: another one draws the same.
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": "CrystalVision"})
    return buffer.getvalue()
