"""The root of counts."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float

from crystalvision.contracts import Axis, Input


class Sqrt(Input):
    """Anscombe's root of the counts, 2 √(x + 3/8), whose Poisson noise is about 1 everywhere.

    Source: Anscombe 1948, Biometrika 35, 246.
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
        return 2 * torch.sqrt(images.clamp_min(0) + 0.375), seen
