"""Ticks of logarithmic axes in words that need no mathematical typesetting."""

from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE = 8  # ratio of the ends; from it on an axis is logarithmic
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_text(value: float) -> str:
    """A number, large and small ones as a power of ten, such as `3·10⁴`."""
    if not value or 0.01 <= abs(value) < 1000:
        return f"{value:g}"
    power = floor(log10(abs(value)) + 1e-9)
    factor = f"{value / 10**power:g}"
    raised = f"10{str(power).translate(_RAISED)}"
    return raised if factor == "1" else f"{factor}·{raised}"


def scale_across(axes: "Axes", low: float, high: float) -> bool:
    """Make the horizontal axis logarithmic where its values, from `low` to `high`, ask for it."""
    from matplotlib.ticker import FuncFormatter

    if low <= 0 or high < _WIDE * low:
        return False
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: power_text(value)))
    if high >= 10 * _WIDE * low:
        axes.xaxis.set_minor_formatter("")
    else:  # hardly a power of ten is within: the ticks between need names too
        axes.xaxis.set_minor_formatter(FuncFormatter(_named_between))
    return True


def _named_between(value: float, _: int | None) -> str:
    leading = round(value / 10 ** floor(log10(value) + 1e-9))
    return power_text(float(f"{value:.3g}")) if leading in {2, 5} else ""
