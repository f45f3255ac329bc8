"""What was seen, as a channel of its own."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float

from crystalvision.contracts import Axis, Input


class MaskChannel(Input):
    """Adds a channel with 1 where all channels were seen and 0 where they were not.

    Without it, what was not seen has the mean of the image, and a network cannot tell a beam stop
    from a flat background. It comes last: what follows would take the mask for counts. Images
    without a mask were seen everywhere.
    """

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`."""
        return tuple(axes)

    def channels(self, channels: int) -> int:
        """See `Input.channels`."""
        return channels + 1

    def forward(
        self,
        images: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c2 *grid"], Bool[torch.Tensor, "b #c2 *grid"] | None]:
        """See `Input.forward`; the mask itself is known everywhere."""
        everywhere = torch.ones_like(images[:, :1])
        if seen is None:
            return torch.cat([images, everywhere], dim=1), None
        mask = seen.all(dim=1, keepdim=True)
        known = torch.cat([seen.expand_as(images), everywhere.bool()], dim=1)
        return torch.cat([images, mask.to(images.dtype)], dim=1), known
