"""The logarithm of counts."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float

from crystalvision.contracts import Axis, Input


class Log1p(Input):
    """The natural logarithm of one plus the counts: spots of all orders of magnitude show."""

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`."""
        return tuple(axes)

    def forward(
        self,
        images: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b #c *grid"] | None]:
        """See `Input.forward`."""
        return torch.log1p(images.clamp_min(0)), seen
