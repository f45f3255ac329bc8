"""Figures of what a run says: bars, what speaks for it, its place on a map, and along a degree."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.plotting import figure
from jaxtyping import Float

from crystalvision.datasets import LABEL
from crystalvision.explorer.figures import COLOURS, MARK, plain_figure
from crystalvision.explorer.patterns import flat, limits
from crystalvision.explorer.runs._answer import Answer
from crystalvision.explorer.runs._neighbours import TrainingPatterns
from crystalvision.prediction import Predictions, TargetMap

_MOST_BARS = 12
_ROW = 24
_MARKERS = ("circle", "triangle", "square", "diamond", "inverted_triangle", "hex", "star", "plus")
Courses = Mapping[str, tuple[Sequence[float], Sequence[Predictions]]]
"""What runs said at each degree, by run."""


def bars_figure(answer: Answer) -> figure | None:
    """Probabilities of the likeliest classes, with their spread; `None` without classes."""
    if LABEL not in answer.predictions:
        return None
    shown = answer.several if answer.several is not None else answer.predictions
    estimates = shown[LABEL]
    if estimates.probabilities is None:
        return None
    probabilities = estimates.probabilities[0]
    order = np.argsort(-probabilities, kind="stable")[:_MOST_BARS]
    spread = np.zeros(len(probabilities))
    if estimates.answers is not None and estimates.answers.probability_std is not None:
        spread = estimates.answers.probability_std[0]
    names = [estimates.target.classes[place] for place in order]
    source = ColumnDataSource(
        {
            "name": names,
            "p": probabilities[order],
            "low": np.clip(probabilities[order] - spread[order], 0, 1),
            "high": np.clip(probabilities[order] + spread[order], 0, 1),
        }
    )
    made = plain_figure(
        height=70 + _ROW * len(names),
        y_range=names[::-1],
        x_range=Range1d(start=0, end=1),
        x_axis_label="probability",
        tools="",
        toolbar_location=None,
        tooltips=[("class", "@name"), ("probability", "@p{0.0000} (@low{0.000} to @high{0.000})")],
    )
    made.hbar(y="name", right="p", height=0.7, source=source, color=COLOURS[0])
    if spread.any():
        made.segment(
            x0="low", x1="high", y0="name", y1="name", source=source, color=MARK, line_width=2
        )
    return made


def map_figure_of(answer: Answer, found: TargetMap) -> figure:
    """A pattern in grey, and over it what speaks for what a run says of it."""
    strongest = max(float(np.abs(found.values).max()), 1e-12)
    said = found.said if isinstance(found.said, str) else f"{found.said:.3g}"
    title = f"what speaks for {found.target}: {said}"
    if len(answer.axes) == 1:
        return _curve_map(answer, found.values / strongest, title)
    rows, columns = answer.axes[-2:]
    left, top = columns.offset - columns.scale / 2, rows.offset - rows.scale / 2
    right, bottom = left + columns.size * columns.scale, top + rows.size * rows.scale
    made = plain_figure(
        aspect_ratio=1.0,
        title=title,
        x_axis_label=columns.label,
        y_axis_label=rows.label,
        x_range=Range1d(start=left, end=right),
        y_range=Range1d(start=bottom, end=top),
    )
    made.grid.visible = False
    pixels = _overlaid(flat(answer.image), found.values / strongest)
    made.image_rgba(image=[pixels], x=left, y=top, dw=right - left, dh=bottom - top)
    return made


def _overlaid(image: Float[np.ndarray, "h w"], strength: Float[np.ndarray, "h w"]) -> Any:
    """Pixels (h, w) of RGBA: grey, coloured the more the larger a map is."""
    low, high = limits(image)
    with np.errstate(divide="ignore", invalid="ignore"):
        grey = np.clip((np.log(image) - np.log(low)) / (np.log(high) - np.log(low)), 0, 1)
    grey = np.nan_to_num(grey, nan=0.5)[..., None]
    for_it, against = np.array([230, 159, 0]), np.array([86, 180, 233])
    colour = np.where(strength[..., None] >= 0, for_it, against)
    share = 0.75 * np.clip(np.abs(strength), 0, 1)[..., None]
    rgb = (1 - share) * 255 * grey + share * colour * (0.35 + 0.65 * grey)
    pixels = np.empty((*image.shape, 4), dtype=np.uint8)
    pixels[..., :3], pixels[..., 3] = rgb.astype(np.uint8), 255
    return pixels.view(np.uint32).reshape(image.shape)


def _curve_map(answer: Answer, strength: Float[np.ndarray, "n"], title: str) -> figure:
    (axis,) = answer.axes
    places, counts = axis.values(), flat(answer.image)
    top = 1.05 * max(float(np.nanmax(counts)), 1.0)
    made = plain_figure(title=title, x_axis_label=axis.label, y_axis_label="counts")
    made.image(
        image=[np.abs(strength)[None].astype(np.float32)],
        x=places[0] - axis.scale / 2,
        y=0,
        dw=axis.size * axis.scale,
        dh=top,
        palette=[f"{MARK}{shade:02x}" for shade in range(160)],
    )
    made.line(places, counts, color=COLOURS[0], line_width=1.2)
    return made


def place_figure(training: TrainingPatterns, place: tuple[float, float], name: str) -> figure:
    """Test patterns on the map of features, and where a pattern lies among them."""
    made = plain_figure(
        aspect_ratio=1.1,
        title="Test patterns on a map of features",
        x_axis_label="first component",
        y_axis_label="second component",
    )
    dots: list[Any] = []
    for number, each in enumerate(training.classes):
        here = training.labels == number
        if not here.any():
            continue
        source = ColumnDataSource(
            {
                "x": training.places[here, 0],
                "y": training.places[here, 1],
                "index": training.shown[here],
                "name": [each] * int(here.sum()),
            }
        )
        dots.append(
            made.scatter(
                x="x", y="y", source=source, size=6, alpha=0.75, legend_label=each,
                color=COLOURS[number % len(COLOURS)], marker=_MARKERS[number % len(_MARKERS)],
            )
        )  # fmt: skip
    made.scatter(
        [place[0]], [place[1]], size=18, marker="star", color=MARK, line_color="white",
        legend_label=name,
    )  # fmt: skip
    made.add_tools(HoverTool(renderers=dots, tooltips=[("class", "@name"), ("sample", "@index")]))
    made.legend.click_policy = "hide"
    made.legend.label_text_font_size = "10px"
    made.add_layout(made.legend[0], "below")
    made.legend.ncols = 3
    return made


def course_figures(title: str, courses: Courses, *, logarithmic: bool) -> list[figure]:
    """Probability of each class against a degree, a figure for each run; then the numbers."""
    found = []
    for run, (values, answers) in courses.items():
        labels = [each[LABEL] for each in answers if LABEL in each]
        if not labels or labels[0].probabilities is None:
            continue
        made = _course(f"{run}: probability of each class", title, "probability", logarithmic)
        made.y_range = Range1d(start=-0.02, end=1.02)
        table = np.stack([each.probabilities[0] for each in labels])  # type: ignore[index] # all have them
        for number in np.argsort(-table.max(axis=0))[:_MOST_BARS]:
            name = labels[0].target.classes[number]
            _line(made, values, table[:, number], name, int(number))
        found.append(_with_legend(made))
    numbers = dict.fromkeys(
        name
        for _, answers in courses.values()
        for name, each in answers[0].items()
        if not each.target.classes and not each.target.shape
    )
    for name in numbers:
        made = _course(f"{name} that runs tell", title, name, logarithmic)
        for number, (run, (values, answers)) in enumerate(courses.items()):
            if name in answers[0]:
                told = [float(each[name].value[0]) for each in answers]
                _line(made, values, np.array(told), run, number)
        found.append(_with_legend(made))
    return found


def _course(title: str, along: str, y_label: str, logarithmic: bool) -> figure:
    return plain_figure(
        title=title,
        x_axis_label=along,
        y_axis_label=y_label,
        x_axis_type="log" if logarithmic else "linear",
    )


def _line(made: figure, x: Sequence[float], y: Any, name: str, number: int) -> None:
    colour = COLOURS[number % len(COLOURS)]
    source = ColumnDataSource({"x": list(x), "y": y, "name": [name] * len(x)})
    made.line(x="x", y="y", source=source, color=colour, line_width=1.6, legend_label=name)
    dots = made.scatter(x="x", y="y", source=source, color=colour, size=7, legend_label=name)
    tips = [("", "@name"), ("degree", "@x{0.[0000]}"), ("value", "@y{0.0000}")]
    made.add_tools(HoverTool(renderers=[dots], tooltips=tips))


def _with_legend(made: figure) -> figure:
    made.legend.click_policy = "hide"
    made.legend.label_text_font_size = "10px"
    made.add_layout(made.legend[0], "below")
    made.legend.ncols = 3
    return made
