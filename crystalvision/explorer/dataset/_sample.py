"""One sample large, with its ideal twin and everything that is known of it."""

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import panel as pn
from panel.viewable import Viewable

from crystalvision.datasets import Dataset
from crystalvision.explorer.dataset._facets import Facet
from crystalvision.explorer.dataset._twin import Twin
from crystalvision.explorer.figures import draw
from crystalvision.explorer.patterns import figure_of, hidden
from crystalvision.samples import Curves

_STYLE = """<style>
.known { border-collapse: collapse; font-size: .85rem; width: 100%; }
.known th { text-align: left; font-weight: 400; color: var(--soft, GrayText); padding: .12rem .5rem
  .12rem 0; overflow-wrap: anywhere; }
.known td { font-weight: 600; padding: .12rem 0; overflow-wrap: anywhere; }
</style>"""
_COUNTS, _INTENSITY = "counts", "intensity"


class LargeSample:
    """One sample large.

    Attributes:
        view: What is shown.
    """

    def __init__(self) -> None:
        """Show nothing yet."""
        self._figures = pn.FlexBox(sizing_mode="stretch_width", css_classes=["figures"])
        self._note = pn.pane.HTML("", sizing_mode="stretch_width")
        self._known = pn.pane.HTML("", sizing_mode="stretch_width")
        self.view: Viewable = pn.Column(
            self._figures, self._note, self._known, sizing_mode="stretch_width"
        )

    def show(self, dataset: Dataset, index: int, facets: Mapping[str, Facet], twin: Twin) -> None:
        """Show a sample.

        Args:
            dataset: Of the sample.
            index: Which.
            facets: What is known of it.
            twin: The same without defects, as far as it is there.
        """
        self._figures.objects = [_pane(one) for one in sample_figures(dataset, index, twin)]
        self._note.object = escape(f"Ideal twin: {twin.note}." if twin.note else "")
        self._known.object = known_table(dataset, index, facets)


def sample_figures(dataset: Dataset, index: int, twin: Twin) -> list[Any]:
    """What is drawn of a sample: a picture of it and one of its twin, or curves of both."""
    header = dataset.header
    seen = dataset.seen([index])
    image = hidden(dataset.images([index])[0], None if seen is None else seen[0])
    quantity = _INTENSITY if header.dtype == "float32" else _COUNTS
    here = f"sample {index}"
    if twin.image is None:
        return [figure_of(here, [(here, image)], header.axes, quantity)]
    if len(header.axes) == 1:
        # In any unit: the highest places of both are drawn alike.
        top = float(twin.image.max())
        factor = float(np.nanmax(image)) / top if top > 0 else 1.0
        patterns = [(here, image), ("ideal twin, scaled", factor * twin.image)]
        return [figure_of(f"{here} and its ideal twin", patterns, header.axes, quantity)]
    ideal = figure_of("ideal twin", [("", twin.image)], header.axes, "without noise, any unit")
    return [figure_of(here, [(here, image)], header.axes, quantity), ideal]


def known_table(dataset: Dataset, index: int, facets: Mapping[str, Facet]) -> str:
    """Everything known of a sample as a table of HTML."""
    made = dataset.header.provenance
    number = int(dataset.numbers([index])[0])
    rows = [("sample", str(index), "")]
    if number != index:
        rows.append(("sample of the whole dataset", str(number), ""))
    rows += [(one.label, one.text(index), one.meaning) for one in facets.values()]
    rows.append(("made from", f"{made.name or made.kind}, seed {getattr(made, 'seed', '–')}", ""))
    cells = "".join(
        f'<tr title="{escape(meaning)}"><th scope="row">{escape(name)}</th>'
        f"<td>{escape(value)}</td></tr>"
        for name, value, meaning in rows
    )
    return f'{_STYLE}<table class="known">{cells}</table>'


def _pane(what: Any) -> Viewable:
    width = "1 1 100%" if isinstance(what, Curves) else "1 1 20rem"
    return pn.pane.Bokeh(
        draw(what).figure,
        sizing_mode="stretch_width",
        styles={"flex": width, "min-width": "0", "max-width": "40rem"},
    )
