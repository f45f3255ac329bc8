"""Draws one pattern."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.contracts import Axis
from crystalvision.text import axis_symbol, figure_text
from crystalvision_simulate.pictures._labels import Label, overlined
from crystalvision_simulate.pictures._style import COLOUR_MAP
from crystalvision_simulate.pictures._view import PatternView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.image import AxesImage

_UNITS = {"1/angstrom": "1/Å", "degree": "°", "angstrom": "Å"}
_GAMMA = 0.3  # of an image whose few bright pixels would leave the rest black
_DECADES = 5.0  # between the darkest and the brightest colour of a pattern without noise


def scale_of(patterns: Sequence[PatternView]) -> "Normalize":
    """The scale of colours that patterns of one unit share.

    Fractions of the beam are shown on a logarithmic scale of five decades, counts as log(1 + n),
    another image to the power 0.3. The brightest is the brightest pixel beside the direct beam.
    """
    from matplotlib.colors import FuncNorm, LogNorm, PowerNorm

    unit = patterns[0].unit
    top = max(_brightest(pattern) for pattern in patterns)
    if unit == "fraction":
        top = top if top > 0 else 1.0
        return LogNorm(top * 10**-_DECADES, top, clip=True)
    low = min(float(np.nanmin(pattern.image)) for pattern in patterns)
    if unit == "image":
        return PowerNorm(_GAMMA, low, max(top, low + 1e-12), clip=True)
    return FuncNorm(
        (lambda counts: np.log1p(np.maximum(counts - low, 0)), lambda place: np.expm1(place) + low),
        low,
        max(top, low + 1),
        clip=True,
    )


def draw_pattern(axes: "Axes", pattern: PatternView, norm: "Normalize") -> "AxesImage | None":
    """Draw a pattern with its axes and labels; one of a single axis as a curve for each channel.

    Returns:
        The image, if it is one.
    """
    from matplotlib.ticker import MaxNLocator

    power = f", image to the power {_GAMMA:g}" if pattern.unit == "image" else ""
    if pattern.calibration is None:
        _draw_curves(axes, pattern)
        return None
    channels, height, width = pattern.image.shape
    if channels == 3:
        shown = np.moveaxis(np.clip(norm(pattern.image), 0, 1), 0, -1)
    else:
        shown = np.nan_to_num(np.asarray(pattern.image.sum(axis=0), dtype=np.float64))
    image = axes.imshow(
        np.asarray(shown),
        cmap=COLOUR_MAP,
        norm=norm,
        extent=pattern.calibration.extent(height, width),
        interpolation="nearest",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.tick_params(labelsize=7.5, pad=2)
    axes.set_title(figure_text(pattern.title) + power)
    rows, columns = pattern.axes
    axes.set_xlabel(_name_of(columns), labelpad=1, parse_math=True)
    axes.set_ylabel(_name_of(rows), labelpad=1, parse_math=True)
    for label in pattern.labels:
        _draw_label(axes, label)
    return image


def _draw_curves(axes: "Axes", pattern: PatternView) -> None:
    """Draw each channel over the one axis."""
    (axis,) = pattern.axes
    places = axis.values()
    for channel in pattern.image:
        axes.plot(places, channel, linewidth=0.8)
    if len(places) > 1:
        axes.set_xlim(places[0], places[-1])
    axes.tick_params(labelsize=7.5, pad=2)
    axes.set_title(figure_text(pattern.title))
    axes.set_xlabel(_name_of(axis), labelpad=1, parse_math=True)


def _name_of(axis: Axis) -> str:
    """An axis with its units, as a figure writes it."""
    first, _, below = axis.name.partition("_")
    plain = figure_text(axis_symbol(axis.name))
    named = f"${first}_{below}$" if len(first) == len(below) == 1 else plain
    return f"{named} [{_UNITS.get(axis.units) or figure_text(axis.units)}]"


def draw_colour_bar(axes: "Axes", image: "AxesImage", unit: str) -> None:
    """A bar that says what the colours mean, to the right of a pattern."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    text, extend = {
        "fraction": ("fraction of the beam in a pixel", "both"),
        "counts": ("counts in a pixel", "max"),
        "image": ("on the renderer's own scale", "neither"),
    }[unit]
    bar = axes.figure.colorbar(image, cax=axes.inset_axes((1.03, 0, 0.045, 1)), extend=extend)
    bar.set_label(text, fontsize=7.5, labelpad=2)
    bar.ax.tick_params(labelsize=7.5, pad=1.5)
    if unit == "fraction":
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _power_of_ten(value)))
    elif unit == "counts":
        bar.ax.yaxis.set_major_locator(FixedLocator(_round_counts(bar.norm)))
        bar.ax.yaxis.set_minor_locator(NullLocator())


def _power_of_ten(value: float) -> str:
    exponent = f"{np.log10(value):.0f}"
    return "10" + exponent.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _round_counts(norm: "Normalize") -> list[float]:
    low, high = float(norm.vmin or 0), float(norm.vmax or 1)
    steps = [low + step * 10**power for power in range(5) for step in (1, 3)]
    return [low, *(value for value in steps if value <= high)]


def _brightest(pattern: PatternView) -> float:
    """The brightest pixel beside the direct beam."""
    image = np.asarray(pattern.image, dtype=np.float64)
    if pattern.calibration is None:
        return float(np.nanmax(image))
    (middle,) = pattern.calibration.on_axes(np.zeros((1, 2)))
    rows, columns = (
        (np.arange(size) - origin) * step
        for size, origin, step in zip(
            image.shape[1:], pattern.calibration.direct_beam, pattern.calibration.step, strict=True
        )
    )
    beside = np.hypot(rows[:, None] - middle[1], columns - middle[0]) > pattern.dark_radius
    return float(image[:, beside].max()) if beside.any() else float(image.max())


def _draw_label(axes: "Axes", label: Label) -> None:
    """A ring about the place of a reflection, and its indices beside it."""
    from matplotlib.patheffects import withStroke

    axes.plot(
        label.q_x_inv_angstrom, label.q_y_inv_angstrom, "o", ms=6.5, mew=0.6, mfc="none", mec="w"
    )
    axes.text(
        label.text_x,
        1 - label.text_y,
        overlined(label.hkl),
        transform=axes.transAxes,
        ha="center",
        va="center",
        color="white",
        fontsize=7.5,
        parse_math=True,
        path_effects=[withStroke(linewidth=1.6, foreground="black")],
    )
