"""Figures in the style of the explorer: drawn once, and then given new data.

A preview is shown without `rescale`: for other labels the browser would lay out the whole page.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from bokeh.core.properties import value
from bokeh.models import (
    ColumnDataSource,
    LinearColorMapper,
    LogColorMapper,
    NoOverlap,
    Range1d,
)
from bokeh.models.annotations import ColorBar, Title
from bokeh.palettes import Inferno256
from bokeh.plotting import figure

from crystalvision.contracts import Axis
from crystalvision.samples import Curves, DotMap, Mark, Picture

COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#0072B2", "#999933")
"""Of curves: Okabe and Ito (2008), told apart with any colour vision and on both grounds."""
MARK = "#D55E00"
"""What defects did is drawn in this colour, and nothing else is."""
_CLEAR, _EDGE = "#00000000", "#555555"
HEIGHT = 330
"""Of a figure [pixels]."""

_TOOLS = "pan,wheel_zoom,box_zoom,reset,save"
_SMALL: dict[str, Any] = {"text_font_size": value("11px"), "text_font": value("sans-serif")}
_PALETTE = Inferno256
_BESIDE_A_BAR = 1.12  # width over height of a square picture with its colour bar
_BAR = 62  # pixels
_MOST_DECADES = 8
_ABOVE = 0.25  # decades between a curve and the frame
_APART = 6  # pixels between two labels of an axis
_COLUMNS = ("x", "y", "radius", "colour", "line")


def plain_figure(**options: Any) -> figure:
    """A figure in the style of the explorer, as wide as there is room.

    Args:
        **options: Those of `bokeh.plotting.figure`, in place of the explorer's own.
    """
    chosen: dict[str, Any] = {
        **({} if "aspect_ratio" in options else {"height": HEIGHT}),
        "sizing_mode": "stretch_width",
        "tools": _TOOLS,
        "toolbar_location": "above",
        "output_backend": "canvas",
        **options,
    }
    made = figure(**chosen)
    made.toolbar.logo = None
    made.toolbar.autohide = True
    made.xaxis.major_label_policy = NoOverlap(
        min_distance=_APART
    )  # on a phone there is little room
    return made


class PictureFigure:
    """A picture with its colour bar.

    Attributes:
        figure: What Bokeh draws.
    """

    def __init__(self, picture: Picture) -> None:
        """Draw a picture."""
        rows, columns = picture.axes
        self.figure = plain_figure(
            aspect_ratio=_BESIDE_A_BAR,
            x_axis_label=columns.label,
            y_axis_label=rows.label,
            x_range=Range1d(),
            y_range=Range1d(),
            tooltips=[("", "@image")],
        )
        self.figure.grid.visible = False
        kind = LogColorMapper if picture.logarithmic else LinearColorMapper
        self._colours = kind(palette=_PALETTE, nan_color="#808080")
        self._image = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        # Bokeh's own annotations leave out that this glyph takes its colours here.
        self.figure.image(source=self._image, color_mapper=self._colours)  # type: ignore[call-arg] # unknown to its stubs
        self._bar = ColorBar(color_mapper=self._colours, width=10, padding=4, title="")
        self.figure.add_layout(self._bar, "right")
        self._marks = ColumnDataSource({"x": [], "y": [], "text": []})
        self.figure.scatter(
            source=self._marks, size=9, fill_alpha=0, line_color="white", line_width=0.8
        )
        self.figure.text(
            source=self._marks,
            x_offset=6,
            y_offset=-4,
            text_color="white",
            **_SMALL,
        )
        self._extent: tuple[float, ...] = ()
        self.show(picture)

    def show(self, picture: Picture, *, rescale: bool = True) -> None:
        """Draw another picture in its place; what was zoomed into stays, on the same axes."""
        left, right, top, bottom = _extent(picture.axes)
        _entitle(self.figure, picture.title)
        self._bar.title = picture.quantity
        if rescale:
            self._colours.update(low=picture.low, high=picture.high)
        if self._extent != (left, right, top, bottom):
            self._extent = (left, right, top, bottom)
            self.figure.x_range.update(start=left, end=right)
            self.figure.y_range.update(start=bottom, end=top)  # rows run downwards
        image = np.ascontiguousarray(picture.image, dtype=np.float32)
        _fill(
            self._image,
            image=[image],
            x=[left],
            y=[top],  # row 0 is drawn there, and the others downwards
            dw=[right - left],
            dh=[bottom - top],
        )
        _fill_marks(self._marks, picture.marks)


class CurvesFigure:
    """Curves with their legend, which hides and shows them.

    Attributes:
        figure: What Bokeh draws.
    """

    def __init__(self, curves: Curves) -> None:
        """Draw curves."""
        self.figure = plain_figure(
            x_axis_label=curves.x_label,
            y_axis_label=curves.y_label,
            y_axis_type="log" if curves.logarithmic else "linear",
            **({"y_range": Range1d()} if curves.logarithmic else {}),
            styles={"grid-column": "1 / -1"},  # as wide as all pictures side by side
        )
        self._sources = []
        for place, curve in enumerate(curves.curves):
            source = ColumnDataSource({"x": [], "y": []})
            self.figure.line(
                source=source,
                color=COLOURS[place % len(COLOURS)],
                line_width=1.4,
                legend_label=curve.name,
            )
            self._sources.append(source)
        # Above the figure, so that it hides nothing of it.
        self.figure.add_layout(self.figure.legend[0], "above")
        self.figure.legend.update(orientation="horizontal", padding=0, margin=0, spacing=8)
        self.figure.legend.click_policy = "hide"
        self.figure.legend.label_text_font_size = "11px"
        self._decades = (0.0, 0.0)
        self._marks = ColumnDataSource({"x": [], "y": [], "text": []})
        self.figure.text(
            source=self._marks, text_color="#808080", y_offset=-4, text_align="center", **_SMALL
        )
        self.show(curves)

    def show(self, curves: Curves, *, rescale: bool = True) -> None:
        """Draw other curves in their place; what was zoomed into stays, within the same decades."""
        _entitle(self.figure, curves.title)
        decades = _decades(curves)
        if curves.logarithmic and rescale and self._decades != decades:
            self._decades = decades
            self.figure.y_range.update(start=decades[0], end=decades[1])
        for source, curve in zip(self._sources, curves.curves, strict=True):
            values = np.asarray(curve.y, dtype=np.float64)
            if curves.logarithmic:
                values = np.where(values > 0, values, np.nan)
            _fill(source, x=np.asarray(curve.x, dtype=np.float64), y=values)
        _fill_marks(self._marks, curves.marks)


class DotMapFigure:
    """Things at places, such as atoms.

    Attributes:
        figure: What Bokeh draws.
    """

    def __init__(self, dots: DotMap) -> None:
        """Draw them."""
        label = f"[{dots.units}]"
        self.figure = plain_figure(
            aspect_ratio=_BESIDE_A_BAR,
            min_border_right=_BAR,
            x_axis_label=f"x {label}",
            y_axis_label=f"y {label}",
            x_range=Range1d(),
            y_range=Range1d(),
        )
        self.figure.grid.visible = False
        self._dots = ColumnDataSource({name: [] for name in _COLUMNS})
        self._kinds = ColumnDataSource({name: [] for name in (*_COLUMNS, "name")})
        style: dict[str, Any] = {"radius": "radius", "fill_color": "colour", "line_color": "line"}
        self.figure.circle(source=self._dots, **style)
        # Of its own: with each change of what a legend is of, it is built anew.
        self.figure.circle(source=self._kinds, legend_field="name", **style)
        # Beside the atoms, where pictures have their colour bar.
        self.figure.add_layout(self.figure.legend[0], "right")
        self.figure.legend.update(padding=0, margin=4, spacing=0, glyph_width=14)
        self._arrows = ColumnDataSource({"x0": [], "y0": [], "x1": [], "y1": []})
        self.figure.segment(source=self._arrows, color=MARK, line_width=1)
        self.figure.legend.label_text_font_size = "11px"
        self._half_width = 0.0
        self.show(dots)

    def show(self, dots: DotMap, *, rescale: bool = True) -> None:
        """Draw others in their place."""
        _entitle(self.figure, dots.title)
        if rescale and self._half_width != dots.half_width:
            self._half_width = dots.half_width
            self.figure.x_range.update(start=-dots.half_width, end=dots.half_width)
            self.figure.y_range.update(start=dots.half_width, end=-dots.half_width)
        kinds, counts = dots.dots, [len(one.x) for one in dots.dots]
        nowhere = np.full(len(kinds), np.nan)
        looks = {
            "colour": _rgba(one.colour or _CLEAR for one in kinds),
            "line": _rgba(MARK if one.marked else _EDGE for one in kinds),
        }
        places = {
            name: np.concatenate([nowhere[:0], *(getattr(one, name) for one in kinds)])
            for name in ("x", "y", "radius")
        }
        each = {name: np.repeat(look, counts, axis=0) for name, look in looks.items()}
        _fill(self._dots, **places, **each)
        names = [one.name for one in kinds]
        _fill(self._kinds, x=nowhere, y=nowhere, radius=nowhere, name=names, **looks)
        x0, y0, x1, y1 = np.asarray(dots.arrows, dtype=np.float64).reshape(-1, 4).T
        _fill(self._arrows, x0=x0, y0=y0, x1=x1, y1=y1)


def _decades(curves: Curves) -> tuple[float, float]:
    """Whole decades about curves, which hardly change."""
    values = np.concatenate([np.asarray(one.y, dtype=np.float64) for one in curves.curves])
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return 0.1, 1.0
    top = np.ceil(np.log10(values.max()) + _ABOVE)
    low = max(np.floor(np.log10(values.min())), top - _MOST_DECADES)
    return float(10.0**low), float(10.0**top)


def _rgba(colours: Iterable[str]) -> np.ndarray[Any, Any]:
    """Colours #rrggbb or #rrggbbaa as bytes, (n, 4), which take no parsing in the browser."""
    found = [list(bytes.fromhex(colour.removeprefix("#").ljust(8, "f"))) for colour in colours]
    return np.array(found, dtype=np.uint8).reshape(-1, 4)


def _fill(source: ColumnDataSource, **data: Any) -> None:
    """Give a source new data, unless they are those that it has: to draw is dear."""
    before = source.data
    if not all(
        np.array_equal(before[name], new, equal_nan=_is_real(new)) for name, new in data.items()
    ):
        source.data = data


def _is_real(values: Any) -> bool:
    """Whether values may hold nan."""
    return isinstance(values, np.ndarray) and values.dtype.kind == "f"


def _fill_marks(source: ColumnDataSource, marks: Sequence[Mark]) -> None:
    x, y, text = ([getattr(one, name) for one in marks] for name in ("x", "y", "text"))
    _fill(source, x=x, y=y, text=text)


def _entitle(drawn: figure, title: str) -> None:
    if isinstance(drawn.title, Title):  # Bokeh makes one of a text
        drawn.title.text = title


Figure = PictureFigure | CurvesFigure | DotMapFigure
_KINDS: dict[type, Callable[[Any], Figure]] = {
    Picture: PictureFigure,
    Curves: CurvesFigure,
    DotMap: DotMapFigure,
}


def draw(what: Picture | Curves | DotMap) -> Figure:
    """Draw something anew."""
    return _KINDS[type(what)](what)


def _extent(axes: tuple[Axis, Axis]) -> tuple[float, float, float, float]:
    """Edges of a picture on its axes: left, right, top, bottom."""
    rows, columns = axes
    left, top = columns.offset - columns.scale / 2, rows.offset - rows.scale / 2
    return left, left + columns.size * columns.scale, top, top + rows.size * rows.scale
