"""A shorter range of angles."""

from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field

from crystalvision.contracts import Augmentation


class Range(Augmentation):
    """Hides both ends of some curves, as if a shorter range had been measured.

    What lies outside was not seen, so that a network learns to do without it.

    Args:
        least: The share of the points that is kept lies between this and 1.
        share: Share of the curves of which something is hidden.
    """

    dimensions = frozenset({1})

    def __init__(
        self,
        least: Annotated[float, Field(gt=0, lt=1)] = 0.5,
        share: Annotated[float, Field(gt=0, le=1)] = 0.5,
    ) -> None:
        self.least = least
        self.share = share

    def apply(
        self,
        counts: Float[torch.Tensor, "b c n"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c n"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c n"], Bool[torch.Tensor, "b #c n"] | None]:
        """See `Augmentation.apply`; it gives a mask also where there was none."""
        size = counts.shape[-1]
        chosen, length, place = torch.rand(3, len(counts), generator=generator)
        kept = torch.where(chosen < self.share, self.least + (1 - self.least) * length, 1.0)
        first = place * (1 - kept) * size
        ends = torch.stack([first, first + kept * size]).to(counts.device)
        point = torch.arange(size, device=counts.device) + 0.5
        inside = (point >= ends[0, :, None]) & (point <= ends[1, :, None] + 1e-3)
        inside = inside[:, None]
        seen = inside if seen is None else seen & inside
        return counts.masked_fill(~seen, 0.0), seen
