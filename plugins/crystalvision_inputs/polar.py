"""Radius and angle about the direct beam."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from pydantic import PositiveInt

from crystalvision.contracts import Axis, Input
from crystalvision.errors import InputError


class Polar(Input):
    """The pattern over radius and angle about the direct beam, where the axes have their zero.

    Each point is the mean of the four pixels around it, weighted by how near they are: counts for
    the area of a pixel, not for that of its own sector, which grows with the radius. Of these
    pixels, those count that were seen; a point is seen if half of the weight was. Radii begin half
    a step from the beam and end at the nearest edge; a turn of the crystal is a shift along the
    angle, which begins at the second axis and turns towards the first.

    Args:
        axes: Of the patterns.
        radii: Points along the radius; by default one a pixel.
        angles: Points along the angle.

    Raises:
        InputError: Axes of different units, or that have no zero on the detector.
    """

    dimensions = frozenset({2})

    def __init__(
        self, axes: Sequence[Axis], radii: PositiveInt | None = None, angles: PositiveInt = 128
    ) -> None:
        super().__init__()
        rows, columns = axes
        if rows.units != columns.units:
            raise InputError(
                f"input 'polar' needs axes of the same units, not {rows.name} in {rows.units} and "
                f"{columns.name} in {columns.units}"
            )
        reach = min(map(_reach, axes))
        self.radii = radii or max(1, int(reach / min(rows.scale, columns.scale)))
        self.angles = angles
        step = reach / self.radii
        radius = (torch.arange(self.radii, dtype=torch.float64) + 0.5)[:, None] * step
        angle = torch.arange(angles, dtype=torch.float64)[None] * (2 * math.pi / angles)
        places = [radius * angle.sin(), radius * angle.cos()]
        indices, weights = _neighbours(axes, places)
        self.indices: torch.Tensor
        self.weights: torch.Tensor
        # Tables, which the axes tell again: no part of the weights that are saved.
        self.register_buffer("indices", indices, persistent=False)
        self.register_buffer("weights", weights, persistent=False)
        self._axes = (
            Axis(name="q", size=self.radii, scale=step, offset=step / 2, units=rows.units),
            Axis(name="angle", size=angles, scale=360 / angles, offset=0.0, units="degree"),
        )

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`: radius, in the units of the pattern, and angle [degrees]."""
        return self._axes

    def forward(
        self,
        images: Float[torch.Tensor, "b c h w"],
        seen: Bool[torch.Tensor, "b #c h w"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c r a"], Bool[torch.Tensor, "b #c r a"] | None]:
        """See `Input.forward`."""
        means = self._mean(images)
        if seen is None:
            return means, None
        share = self._mean(seen.to(images.dtype))
        return means / share.clamp_min(1e-6), share >= 0.5

    def _mean(self, images: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b c r a"]:
        pixels = images.flatten(2)
        parts = [
            pixels.index_select(2, index) * weight
            for index, weight in zip(self.indices, self.weights, strict=True)
        ]
        return torch.unflatten(sum(parts[1:], parts[0]), 2, (self.radii, self.angles))


def _reach(axis: Axis) -> float:
    """How far it is from the direct beam to the nearer end of an axis [units].

    Raises:
        InputError: The beam is not between the ends.
    """
    first, last = axis.offset, axis.offset + axis.scale * (axis.size - 1)
    if not first < 0 < last:
        raise InputError(
            f"input 'polar' needs the direct beam within the pattern, but {axis.name} goes from "
            f"{first:g} to {last:g} {axis.units}: crop elsewhere, or leave it out"
        )
    return min(-first, last)


def _neighbours(
    axes: Sequence[Axis], places: Sequence[torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices (4, n) of the pixels around places, and the weights (4, n) of bilinear means."""
    corners = []
    for axis, place in zip(axes, places, strict=True):
        position = ((place - axis.offset) / axis.scale).flatten().clamp(0, axis.size - 1)
        low = position.floor().clamp(max=axis.size - 2)
        share = position - low
        corners.append(((low.long(), 1 - share), (low.long() + 1, share)))
    pairs = [(row, column) for row in corners[0] for column in corners[1]]
    indices = torch.stack([row[0] * axes[1].size + column[0] for row, column in pairs])
    weights = torch.stack([row[1] * column[1] for row, column in pairs])
    return indices, weights.to(torch.float32)
