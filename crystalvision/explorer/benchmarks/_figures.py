"""Figures of a benchmark: each mark says what it is when it is pointed at."""

from collections.abc import Sequence
from typing import Any

from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure

from crystalvision.explorer.benchmarks._found import Course, Point
from crystalvision.explorer.figures import COLOURS, plain_figure

_ROW = 26  # pixels that a system takes
_FRAME = 110
_TOOLS = "pan,wheel_zoom,box_zoom,reset,save"
_LONGEST = 28


def points_figure(points: Sequence[Point], score: str) -> figure:
    """The score of each system with its interval, and each seed as a tick, the best on top."""
    names = [_short(point.system, place) for place, point in enumerate(points)]
    made = plain_figure(
        height=_FRAME + _ROW * len(points),
        y_range=names[::-1],
        x_axis_label=score,
        tools=_TOOLS,
        title="with 95 % intervals; ticks: seeds",
    )
    seeds: dict[str, Any] = {"x": [], "y": [], "seed": [], "system": []}
    for name, point in zip(names, points, strict=True):
        for seed, value in point.seeds.items():
            for key, each in zip(seeds, (value, name, seed, point.system), strict=True):
                seeds[key].append(each)
    ticks = made.scatter(
        x="x", y="y", source=ColumnDataSource(seeds), marker="dash", angle=1.5708, size=14,
        line_color="#808080", line_width=1.5,
    )  # fmt: skip
    data: dict[str, Any] = {
        "y": names,
        "x": [point.score for point in points],
        "low": [point.low for point in points],
        "high": [point.high for point in points],
        "system": [point.system for point in points],
        "test": [point.test for point in points],
        "seeds": [", ".join(f"{k}: {v:.4f}" for k, v in point.seeds.items()) for point in points],
    }
    source = ColumnDataSource(data)
    dots = made.scatter(x="x", y="y", source=source, size=11, color=COLOURS[0])
    made.segment(
        x0="low", x1="high", y0="y", y1="y", source=source, line_color=COLOURS[0], line_width=2
    )
    made.add_tools(
        HoverTool(
            renderers=[dots],
            tooltips=[
                ("system", "@system"),
                ("test", "@test"),
                (score, "@x{0.0000} (@low{0.0000} to @high{0.0000})"),
                ("seeds", "@seeds"),
            ],
        ),
        HoverTool(
            renderers=[ticks],
            tooltips=[("system", "@system"), ("seed", "@seed"), (score, "@x{0.0000}")],
        ),
    )
    return made


def course_figure(course: Course, score: str) -> figure:
    """Scores of all systems along something, with their intervals."""
    made = plain_figure(
        x_axis_type="log" if course.logarithmic else "linear",
        x_axis_label=course.along,
        y_axis_label=score,
        title=course.title,
        tools=_TOOLS,
    )
    shown: list[Any] = []
    for place, curve in enumerate(course.curves):
        colour = COLOURS[place % len(COLOURS)]
        at = sorted(curve.points)
        source = ColumnDataSource(
            {
                "x": at,
                "y": [curve.points[x].value for x in at],
                "low": [curve.points[x].low for x in at],
                "high": [curve.points[x].high for x in at],
                "system": [curve.title] * len(at),
            }
        )
        name = _short(curve.title)
        dash = "solid" if place < len(COLOURS) else "dashed"
        made.varea(
            x="x", y1="low", y2="high", source=source, fill_color=colour, fill_alpha=0.12,
            legend_label=name,
        )  # fmt: skip
        made.line(
            x="x", y="y", source=source, color=colour, line_width=1.6, line_dash=dash,
            legend_label=name,
        )  # fmt: skip
        shown.append(
            made.scatter(x="x", y="y", source=source, color=colour, size=8, legend_label=name)
        )
    interval = "@y{0.0000} (@low{0.0000} to @high{0.0000})"
    tips = [("system", "@system"), (course.along, "@x{0,0.[000]}"), (score, interval)]
    made.add_tools(HoverTool(renderers=shown, tooltips=tips))
    made.legend.click_policy = "hide"
    made.legend.label_text_font_size = "11px"
    made.add_layout(made.legend[0], "below")
    made.legend.ncols = 3
    return made


def _short(name: str, place: int = 0) -> str:
    """A name that leaves room for the figure; numbered where it was cut, to stay one of its own."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 4]}… {place + 1}".strip()
