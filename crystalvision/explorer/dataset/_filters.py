"""Histograms that filter samples, and each other."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import panel as pn
from bokeh.events import SelectionGeometry, Tap
from bokeh.models import BoxSelectTool, ColumnDataSource, DataRange1d, HoverTool
from jaxtyping import Bool
from panel.viewable import Viewable

from crystalvision.explorer.dataset._facets import Facet, Wanted, selected
from crystalvision.explorer.figures import COLOURS, plain_figure

_HEIGHT = 130
_WIDTH = 290
_MOST_CHOICES = 400  # classes that a menu lists; more are filtered by their number
_BOXES = 8  # classes that have boxes to tick


class Filters:
    """Histograms of chosen columns: of all samples, and of those that the other filters leave.

    Attributes:
        view: What is shown.
        wanted: What samples are filtered by, by name.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        """Begin without any.

        Args:
            changed: Called when a filter was changed.
        """
        self.wanted: dict[str, Wanted] = {}
        self._changed, self._quiet = changed, False
        self._facets: Mapping[str, Facet] = {}
        self._histograms: dict[str, Histogram] = {}
        self._shown = pn.widgets.MultiSelect(
            label="Histograms (Ctrl: several)", options=[], size=6, width=_WIDTH,
            css_classes=["facets"],
        )  # fmt: skip
        self._shown.param.watch(self._picked, "value")
        self._clear = pn.widgets.Button(label="Clear filters", width=_WIDTH)
        self._clear.on_click(lambda _: self._cleared())
        self._box = pn.Column(pn.Spacer(height=1), width=_WIDTH + 12)
        self.view: Viewable = pn.Column(self._shown, self._clear, self._box, width=_WIDTH + 12)

    def show(self, facets: Mapping[str, Facet], first: list[str] | None = None) -> None:
        """Offer columns; filters that are there stay."""
        self._facets = facets
        kept = [name for name in self._shown.value if name in facets]
        names = first if first is not None else kept
        # Figures of what has not changed stay: a browser may be at work on them.
        self._histograms = {
            name: one for name, one in self._histograms.items() if facets.get(name) is one.facet
        }
        self._quiet = True
        try:
            self._shown.param.update(options=list(facets), value=names)
        finally:
            self._quiet = False
        self._build()

    @property
    def chosen(self) -> Bool[np.ndarray, "n"]:
        """Samples that pass every filter."""
        return selected(self._facets, self.wanted, self._samples)

    def count(self) -> None:
        """Show how many samples the filters leave, in each histogram without its own."""
        for name, one in self._histograms.items():
            one.count(selected(self._facets, self.wanted, self._samples, but=name))

    @property
    def _samples(self) -> int:
        return len(next(iter(self._facets.values())).values) if self._facets else 0

    def _picked(self, event: Any) -> None:
        del event
        if not self._quiet:
            self._build()

    def _build(self) -> None:
        names = [name for name in self._shown.value if name in self._facets]
        self._histograms = {
            name: self._histograms.get(name) or Histogram(self._facets[name], self._want)
            for name in names
        }
        gone = [name for name in self.wanted if name not in names]
        for name in gone:
            del self.wanted[name]
        for name, wanted in self.wanted.items():
            if name in self._histograms:
                self._histograms[name].show(wanted)
        self._box.objects = [one.view for one in self._histograms.values()]
        self.count()
        if gone:
            self._changed()

    def _want(self, name: str, wanted: Wanted | None) -> None:
        if wanted is None:
            self.wanted.pop(name, None)
        else:
            self.wanted[name] = wanted
        self.count()
        self._changed()

    def _cleared(self) -> None:
        self.wanted = {}
        for one in self._histograms.values():
            one.clear()
        self.count()
        self._changed()


class Histogram:
    """A histogram of a column, with the control that filters by it.

    Attributes:
        view: What is shown.
        facet: The column.
    """

    def __init__(self, facet: Facet, want: Callable[[str, Wanted | None], None]) -> None:
        """Draw all samples.

        Args:
            facet: The column.
            want: Called with its name and what is wanted of it, `None` for all.
        """
        self.facet, self._want, self._quiet = facet, want, False
        everything = np.ones(len(facet.values), dtype=bool)
        self._all = facet.counts(everything)
        self._bars = ColumnDataSource(self._data(self._all))
        self._figure = self._drawn()
        self._control = self._classes() if facet.classes else self._range()
        self._control.param.watch(self._heard, "value")
        self.view: Viewable = pn.Column(
            pn.pane.Bokeh(self._figure, sizing_mode="stretch_width"), self._control, width=_WIDTH
        )

    def count(self, chosen: Bool[np.ndarray, "n"]) -> None:
        """Show how many of some samples are in each bin."""
        self._bars.data = self._data(self.facet.counts(chosen))

    def clear(self) -> None:
        """Want everything."""
        self._set([] if self.facet.classes else self.facet.ends)

    def show(self, wanted: Wanted) -> None:
        """Show what is wanted, without telling of it."""
        if isinstance(wanted, frozenset):
            self._set([self.facet.classes[place] for place in sorted(wanted)])
        else:
            self._set(wanted)

    def _data(self, counts: Any) -> dict[str, Any]:
        edges = self.facet.edges
        names = self.facet.classes or [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
        return {
            "left": edges[:-1],
            "right": edges[1:],
            "all": self._all,
            "some": np.asarray(counts),
            "name": list(names),
        }

    def _drawn(self) -> Any:
        facet = self.facet
        made = plain_figure(
            height=_HEIGHT,
            title=facet.label,
            x_axis_type="log" if facet.logarithmic else "linear",
            tools="",
            toolbar_location=None,
            y_range=DataRange1d(start=0),
        )
        for height, colour, alpha in (("all", "#808080", 0.35), ("some", COLOURS[0], 0.95)):
            made.quad(
                left="left", right="right", bottom=0, top=height, source=self._bars,
                color=colour, alpha=alpha, line_alpha=0, nonselection_alpha=alpha,
            )  # fmt: skip
        made.add_tools(HoverTool(tooltips=[("", "@name"), ("samples", "@some of @all")]))
        if facet.classes:
            made.xaxis.visible = False
            made.on_event(Tap, self._tapped)
        else:
            select = BoxSelectTool(dimensions="width")
            made.add_tools(select)
            made.toolbar.active_drag = select
            made.on_event(SelectionGeometry, self._boxed)
        made.grid.visible = False
        made.yaxis.visible = False
        return made

    def _classes(self) -> Any:
        names = list(self.facet.classes[:_MOST_CHOICES])
        if len(names) <= _BOXES:
            return pn.widgets.CheckBoxGroup(
                label=f"{self.facet.label}: only", options=names, width=_WIDTH - 20
            )
        return pn.widgets.MultiSelect(
            label=f"{self.facet.label}: only", options=names, size=5, width=_WIDTH - 20
        )

    def _range(self) -> Any:
        low, high = self.facet.ends
        return pn.widgets.EditableRangeSlider(
            label="from, to",
            start=low,
            end=high,
            value=(low, high),
            step=(high - low) / 200,
            format="0[.]0000",
            width=_WIDTH - 20,
        )

    def _heard(self, event: Any) -> None:
        if self._quiet:
            return
        facet = self.facet
        wanted: Wanted | None
        if facet.classes:
            wanted = frozenset(facet.classes.index(name) for name in event.new) or None
        else:
            low, high = event.new
            wanted = None if (low, high) == facet.ends else (float(low), float(high))
        self._want(facet.name, wanted)

    def _tapped(self, event: Any) -> None:
        place = round(event.x)
        if 0 <= place < len(self.facet.classes):
            name = self.facet.classes[place]
            chosen = [*self._control.value]
            chosen.remove(name) if name in chosen else chosen.append(name)
            self._control.value = chosen

    def _boxed(self, event: Any) -> None:
        if event.final and event.geometry:
            low, high = self.facet.ends
            left, right = sorted((event.geometry["x0"], event.geometry["x1"]))
            if right > low and left < high:
                self._control.value = (max(left, low), min(right, high))

    def _set(self, value: Any) -> None:
        self._quiet = True
        try:
            self._control.value = value
        finally:
            self._quiet = False
