"""Measured patterns as they were read: curves over their axis, images on a logarithmic scale."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.contracts import Axis, Frame, Recording
from crystalvision.figures._style import COLOURS, FAINT, drawing, new_figure
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

_WIDTH, _PANEL = 7.0, 2.2  # inches
_DECADES = 5.0


def draw_measured(title: str, frames: Sequence[Frame], recordings: Sequence[Recording]) -> "Figure":
    """Patterns of a file, one below the other.

    Args:
        title: What stands above them.
        frames: What the file says of each.
        recordings: What was measured of each.
    """
    with drawing():
        images = [frame.dimensions == 2 for frame in frames]
        heights = [4.6 if image else _PANEL for image in images]
        figure, axes = new_figure(_WIDTH, sum(heights) + 0.5, rows=len(frames))
        figure.suptitle(figure_text(title), fontsize=11)
        for place, frame, recording in zip(axes, frames, recordings, strict=True):
            if frame.dimensions == 2:
                _image(place, frame, recording)
            else:
                _curve(place, frame, recording)
            if frame.title and len(frames) > 1:
                place.set_title(figure_text(frame.title), fontsize=9, loc="left")
        return figure


def _curve(place: "Axes", frame: Frame, recording: Recording) -> None:
    counts = recording.counts.reshape(-1, frame.grid[-1]).astype(np.float64)
    if recording.seen is not None:
        counts = np.where(recording.seen, counts, np.nan)
    axis = frame.axes[0] if frame.axes else None
    along = np.arange(counts.shape[-1]) if axis is None else axis.values()
    for channel in counts:
        place.plot(along, channel, linewidth=0.7, color=COLOURS[0])
    if (counts < 0).any():
        place.axhline(0, color=FAINT, linewidth=0.6)
    place.set_xlabel("point" if axis is None else axis.label)
    unit = frame.facts.scale
    place.set_ylabel("intensity" if unit == "unknown" else unit)
    place.margins(x=0.01)


def _image(place: "Axes", frame: Frame, recording: Recording) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    channels = recording.counts.reshape(-1, *frame.grid)
    counts = channels[0].astype(np.float64)
    if recording.seen is not None:
        counts = np.where(recording.seen, counts, np.nan)
    norm = _brightness(counts)
    shown = np.clip(counts, norm.vmin, None)
    extent, labels = None, ("column [px]", "row [px]")
    even = [axis for axis in frame.axes or () if isinstance(axis, Axis)]
    if len(even) == 2:
        rows, columns = (axis.values() for axis in even)
        half = [axis.scale / 2 for axis in even]
        extent = (
            float(columns[0] - half[1]),
            float(columns[-1] + half[1]),
            float(rows[-1] + half[0]),
            float(rows[0] - half[0]),
        )
        labels = even[1].label, even[0].label
    drawn = place.imshow(shown, norm=norm, cmap="magma", extent=extent, aspect="equal")
    place.grid(visible=False)
    place.set_xlabel(labels[0])
    place.set_ylabel(labels[1])
    of = f", channel 0 of {len(channels)}" if len(channels) > 1 else ""
    unit = frame.facts.scale.replace("unknown", "intensity")
    bar = place.figure.colorbar(drawn, ax=place, label=unit + of)
    # Matplotlib's own labels of powers need its mathematics, which our style leaves as text.
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())


def _brightness(counts: np.ndarray) -> "Normalize":
    """A logarithmic scale from the least that is above zero; an even one within a decade."""
    from matplotlib.colors import LogNorm, Normalize

    finite = counts[np.isfinite(counts)]
    positive = finite[finite > 0]
    if positive.size:
        top = float(positive.max())
        bottom = max(float(positive.min()), top / 10**_DECADES)
        if 10 * bottom <= top:
            return LogNorm(bottom, top)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return Normalize(low, high if high > low else low + 1)
