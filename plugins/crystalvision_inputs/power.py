"""A power of each value."""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field

from crystalvision.contracts import Axis, Input


class Power(Input):
    """A power of each value, by default its root: weak lines show beside strong ones.

    Other than `sqrt`, which is for counts, it takes values of any scale; the sign is kept.

    Args:
        exponent: The power.
    """

    def __init__(self, exponent: Annotated[float, Field(gt=0, le=4)] = 0.5) -> None:
        super().__init__()
        self.exponent = exponent

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`."""
        return tuple(axes)

    def forward(
        self,
        images: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b #c *grid"] | None]:
        """See `Input.forward`."""
        return images.sign() * images.abs() ** self.exponent, seen
