"""The strongest point is 1."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float

from crystalvision.contracts import Axis, Input


class MaxScale(Input):
    """Divides each image, all of its channels together, by its greatest value that was seen.

    A powder pattern is usually given so, relative to its strongest line. An image without any
    positive value stays as it is.
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
        visible = images if seen is None else images.masked_fill(~seen, 0.0)
        greatest = visible.amax(tuple(range(1, images.ndim)), keepdim=True)
        return images / torch.where(greatest > 0, greatest, torch.ones_like(greatest)), seen
