"""A part of the detector."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field, PositiveInt

from crystalvision.contracts import Axis, Input
from crystalvision.errors import InputError


class Crop(Input):
    """Keeps a part of the pattern: ranges of its axes in their units, or points in the middle.

    Args:
        axes: Of the patterns.
        ranges: Least and largest position that is kept, by name of the axis [units of the axis];
            other axes are kept whole.
        points: In place of ranges, how many points in the middle are kept along each dimension, or
            one number for all of them.

    Raises:
        InputError: Both are given, an axis that there is not, or nothing that is left.
    """

    keeps_counts = True

    def __init__(
        self,
        axes: Sequence[Axis],
        ranges: dict[str, tuple[float, float]] = {},  # noqa: B006 - it is not changed
        points: PositiveInt | Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = None,
    ) -> None:
        super().__init__()
        if points is not None and ranges:
            raise InputError(
                "input 'crop' has both ranges and points; keep one of them, such as "
                "ranges: {q_x: [-1, 1]} or points: 128"
            )
        self.parts = _of_ranges(axes, ranges) if points is None else _of_points(axes, points)

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`."""
        return tuple(
            axis.model_copy(
                update={"size": last - first, "offset": axis.offset + axis.scale * first}
            )
            for axis, (first, last) in zip(axes, self.parts, strict=True)
        )

    def forward(
        self,
        images: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid2"], Bool[torch.Tensor, "b #c *grid2"] | None]:
        """See `Input.forward`."""
        for dim, (first, last) in enumerate(self.parts, 2):
            images = images.narrow(dim, first, last - first)
            seen = None if seen is None else seen.narrow(dim, first, last - first)
        return images, seen


def _of_points(axes: Sequence[Axis], points: int | tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    counts = (points,) * len(axes) if isinstance(points, int) else tuple(points)
    sizes = "×".join(str(axis.size) for axis in axes)
    if len(counts) != len(axes) or any(
        count > axis.size for count, axis in zip(counts, axes, strict=True)
    ):
        raise InputError(
            f"input 'crop': points={list(counts)} of patterns of {sizes}; expected one number, or "
            "one for each dimension, that are not more than there are"
        )
    firsts = [(axis.size - count) // 2 for axis, count in zip(axes, counts, strict=True)]
    return tuple((first, first + count) for first, count in zip(firsts, counts, strict=True))


def _of_ranges(
    axes: Sequence[Axis], ranges: Mapping[str, tuple[float, float]]
) -> tuple[tuple[int, int], ...]:
    names = [axis.name for axis in axes]
    for name in ranges:
        if name not in names:
            raise InputError(
                f"input 'crop': no axis is called '{name}'; the axes are {', '.join(names)}"
            )
    parts = []
    for axis in axes:
        low, high = ranges.get(axis.name, (-math.inf, math.inf))
        end = axis.offset + axis.scale * (axis.size - 1)
        # Within a millionth of a point, so that rounding takes no point that is just on the edge.
        first = 0 if low <= axis.offset else math.ceil((low - axis.offset) / axis.scale - 1e-6)
        last = (
            axis.size if high >= end else math.floor((high - axis.offset) / axis.scale + 1e-6) + 1
        )
        if not first < last:
            raise InputError(
                f"input 'crop': ranges={{{axis.name}: [{low:g}, {high:g}]}} leaves nothing of "
                f"{axis.name}, which goes from {axis.offset:g} to {end:g} {axis.units}"
            )
        parts.append((first, last))
    return tuple(parts)
