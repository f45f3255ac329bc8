"""Mean 0 and standard deviation 1."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float

from crystalvision.contracts import Axis, Input

_ROUNDING = 1e-4
"""A deviation below it is nothing but rounding, which must not be scaled up."""


class Standardise(Input):
    """Shifts and scales each image, all of its channels together, to mean 0 and deviation 1.

    Mean and standard deviation are those of the points that were seen; one that was not becomes 0,
    which is the mean. A constant image becomes zeros, up to rounding.
    """

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`."""
        return tuple(axes)

    def forward(
        self,
        images: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b #c *grid"] | None]:
        """See `Input.forward`."""
        dims = tuple(range(1, images.ndim))
        if seen is None:
            images = images - images.mean(dims, keepdim=True)
            deviation = images.std(dims, correction=0, keepdim=True)
        else:
            hidden = ~seen.expand_as(images)
            number = (~hidden).sum(dims, keepdim=True).clamp_min(1)
            mean = images.masked_fill(hidden, 0.0).sum(dims, keepdim=True) / number
            images = (images - mean).masked_fill(hidden, 0.0)
            deviation = torch.sqrt(images.square().sum(dims, keepdim=True) / number)
        return images / torch.where(
            deviation > _ROUNDING, deviation, torch.ones_like(deviation)
        ), seen
