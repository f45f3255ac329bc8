"""Axes in a few words, for errors and notes."""

from collections.abc import Sequence

from crystalvision.contracts import Axis, MeasuredAxis
from crystalvision.text import axis_symbol, quantity_text, unit_text


def axes_text(axes: Sequence[MeasuredAxis] | None) -> str:
    """Size and place of points."""
    if axes is None:
        return "unknown axes"
    rows, columns = axes if len(axes) == 2 else (None, None)
    if not (isinstance(rows, Axis) and isinstance(columns, Axis)) or (
        (rows.name, columns.name) != ("q_y", "q_x")
    ):
        return " × ".join(
            f"{axis.size} points of {axis_symbol(axis.name)} from {reach_text(axis)}"
            for axis in axes
        )
    sizes = f"{rows.size}×{columns.size}"
    scales = list(dict.fromkeys(f"{axis.scale:.6g}" for axis in (rows, columns)))
    centre = ", ".join(f"{-axis.offset / axis.scale:.5g}" for axis in (rows, columns))
    units = unit_text(rows.units)
    return f"{sizes} pixels of {' × '.join(scales)} {units} about pixel ({centre})"


def reach_text(axis: MeasuredAxis) -> str:
    """Where an axis begins and ends, with the half steps beyond its points if it is even."""
    if isinstance(axis, Axis):
        low, high = axis.offset - axis.scale / 2, axis.offset + axis.scale * (axis.size - 0.5)
        return f"{low:.4g} to {quantity_text(high, axis.units, 4)}"
    low, high = axis.positions[0], axis.positions[-1]
    return f"{low:.4g} to {quantity_text(high, axis.units, 4)}, unevenly"
