"""Limits of counts."""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field

from crystalvision.contracts import Axis, Input


class Clip(Input):
    """Takes what lies above a limit for that limit, as a direct beam that saturates the detector.

    Args:
        most: The limit, in the units of what it gets; by default the most that 16 bits hold.
    """

    def __init__(self, most: Annotated[float, Field(gt=0)] = 65_535.0) -> None:
        super().__init__()
        self.most = most

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`."""
        return tuple(axes)

    def forward(
        self,
        images: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b #c *grid"] | None]:
        """See `Input.forward`."""
        return images.clamp_max(self.most), seen
