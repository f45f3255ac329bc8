"""What a bench shows: figures that get new data, and numbers."""

from html import escape

import panel as pn
from panel.viewable import Viewable

from crystalvision.explorer.figures import Figure, draw
from crystalvision.samples import BenchView, Curves, Picture

_GRID = """
:host { display: grid !important; gap: 0.4rem 1rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
:host > * { align-self: start !important; max-width: 100%; overflow: hidden; }
.scroll-button { display: none; }
"""
_STYLE = "margin:.2rem 0;display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;font-size:.85rem"


class Shown:
    """What is seen of one sample.

    Attributes:
        view: What is shown.
    """

    def __init__(self) -> None:
        """Show nothing yet."""
        self._numbers = pn.pane.HTML("", sizing_mode="stretch_width", margin=(0, 5))
        self._box = pn.Column(sizing_mode="stretch_width", stylesheets=[_GRID])
        self.view: Viewable = pn.Column(self._numbers, self._box, sizing_mode="stretch_width")
        self._figures: list[Figure] = []
        self._panes: list[pn.pane.Bokeh] = []
        self._kinds: tuple[object, ...] = ()

    def show(self, seen: BenchView, *, rescale: bool = True) -> None:
        """Show a sample: in the figures that are there, if they are of the same kinds.

        Args:
            seen: What is seen of it.
            rescale: Whether colours and axes are to suit it; else they stay as they are.
        """
        kinds = tuple(map(_kind, seen.figures))
        if kinds == self._kinds:
            for made, new in zip(self._figures, seen.figures, strict=True):
                made.show(new, rescale=rescale)  # type: ignore[arg-type] # of one kind, as was checked
        else:
            self._kinds, self._figures = kinds, [draw(new) for new in seen.figures]
            self._panes = [
                pn.pane.Bokeh(made.figure, sizing_mode="stretch_width", margin=0)
                for made in self._figures
            ]
            self._box.objects = list(self._panes)
        self._numbers.object = _numbers(seen)
        if pn.state.curdoc is None:  # in a notebook, where nothing watches Bokeh's own models
            pn.io.push_notebook(*self._panes)


def _kind(what: object) -> object:
    """What must be equal for a figure to take new data."""
    if isinstance(what, Picture):
        return Picture, what.logarithmic, tuple((axis.name, axis.units) for axis in what.axes)
    if isinstance(what, Curves):
        names = tuple(curve.name for curve in what.curves)
        return Curves, what.logarithmic, what.x_label, what.y_label, names
    return type(what)


def _numbers(seen: BenchView) -> str:
    pairs = "".join(
        f'<div style="display:flex;gap:.4rem"><dt style="opacity:.7">{escape(name)}</dt>'
        f'<dd style="margin:0;font-weight:600" data-name="{escape(name, quote=True)}">'
        f"{escape(value)}</dd></div>"
        for name, value in seen.numbers.items()
    )
    notes = "".join(f'<p style="margin:.2rem 0">{escape(note)}</p>' for note in seen.notes)
    return f'<dl class="numbers" style="{_STYLE}">{pairs}</dl>{notes}'
