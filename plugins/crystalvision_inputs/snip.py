"""The background of a powder pattern, found and taken away."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from pydantic import PositiveFloat, PositiveInt
from torch.nn import functional

from crystalvision.contracts import Axis, Input
from crystalvision.errors import InputError

_OUTSIDE = 1e3  # far above any count after the threefold root and logarithm


class Snip(Input):
    """Takes the slow background of a curve away, by clipping its peaks off step by step.

    With v = log(log(√(x + 1) + 1) + 1), each point becomes the least of itself and of the mean of
    its two neighbours at a distance p, for p from the greatest down to one point; what is left is
    the background. Whatever is narrower than about twice the greatest distance stays in the
    pattern. Points next to one that was not seen, or to an end, are clipped by nearer neighbours
    alone.

    Args:
        axes: Of the patterns.
        distance: The greatest distance p, in units of the axis.
        smooth: Points of the running mean of which the background is found, so that it does not
            follow the lowest noise; odd.
        keep_negative: Whether noise below the background stays negative, or becomes 0.

    Raises:
        InputError: A distance of less than one point or of half the pattern or more, or an even
            number of points.

    Source: Ryan et al. 1988, Nuclear Instruments and Methods B 34, 396; in falling distances by
        Morháč et al. 1997, Nuclear Instruments and Methods A 401, 113.
    """

    dimensions = frozenset({1})

    def __init__(
        self,
        axes: Sequence[Axis],
        distance: PositiveFloat = 1.5,
        smooth: PositiveInt = 5,
        keep_negative: bool = False,
    ) -> None:
        super().__init__()
        axis = axes[0]
        self.points = round(distance / abs(axis.scale))
        if not 1 <= self.points < axis.size / 2:
            raise InputError(
                f"input 'snip': distance={distance:g} {axis.units} is {self.points} points of "
                f"{axis.name}, which has {axis.size}; expected at least one, and less than half"
            )
        if smooth % 2 == 0:
            raise InputError(f"input 'snip': smooth={smooth}; expected an odd number of points")
        self.smooth = smooth
        self.keep_negative = keep_negative

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`."""
        return tuple(axes)

    def forward(
        self,
        images: Float[torch.Tensor, "b c n"],
        seen: Bool[torch.Tensor, "b #c n"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c n"], Bool[torch.Tensor, "b #c n"] | None]:
        """See `Input.forward`."""
        rest = images - self.background(images, seen)
        return rest if self.keep_negative else rest.clamp_min(0), seen

    def background(
        self, images: Float[torch.Tensor, "b c n"], seen: Bool[torch.Tensor, "b #c n"] | None = None
    ) -> Float[torch.Tensor, "b c n"]:
        """The background of patterns (b, c, n), in their units."""
        smooth = self._running_mean(images, seen)
        v = torch.log(torch.log(torch.sqrt(smooth.clamp_min(0) + 1) + 1) + 1)
        if seen is not None:
            v = v.masked_fill(~seen, _OUTSIDE)
        size = images.shape[-1]
        for p in range(self.points, 0, -1):
            both = (v[..., : size - 2 * p] + v[..., 2 * p :]) / 2
            middle = torch.minimum(v[..., p : size - p], both)
            v = torch.cat([v[..., :p], middle, v[..., size - p :]], dim=-1)
        v = v.clamp_max(3.0)  # of points that were not seen, which nobody looks at
        return (torch.exp(torch.exp(v) - 1) - 1).square() - 1

    def _running_mean(
        self, images: Float[torch.Tensor, "b c n"], seen: Bool[torch.Tensor, "b #c n"] | None
    ) -> Float[torch.Tensor, "b c n"]:
        """Mean of the points about each that were seen, fewer at the ends."""
        if self.smooth == 1:
            return images
        there = torch.ones_like(images) if seen is None else seen.expand_as(images).to(images)
        return self._sum(images * there) / self._sum(there).clamp_min(1)

    def _sum(self, values: Float[torch.Tensor, "b c n"]) -> Float[torch.Tensor, "b c n"]:
        reach, size = self.smooth // 2, values.shape[-1]
        padded = functional.pad(values, (reach, reach))
        total = padded[..., :size]
        for place in range(1, self.smooth):
            total = total + padded[..., place : place + size]
        return total
