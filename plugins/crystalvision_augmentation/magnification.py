"""Another camera length."""

import math
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field

from crystalvision.contracts import Augmentation
from crystalvision_augmentation._nearest import nearest_pixels


class Magnification(Augmentation):
    """Enlarges or reduces each image about its centre, as another camera length would.

    For what is told by the shape of a pattern, at whatever scale: never where lengths tell classes
    apart. Each pixel takes the counts of the one nearest to where it came from, as in `rotation`.
    What comes from outside the detector has no counts; in images that say which of their points
    were seen, it was not.

    Args:
        most: The factor lies between 1 / most and most, its logarithm evenly.
    """

    def __init__(self, most: Annotated[float, Field(gt=1, le=4)] = 1.25) -> None:
        self.most = most

    def apply(
        self,
        counts: Float[torch.Tensor, "b c h w"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c h w"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c h w"], Bool[torch.Tensor, "b #c h w"] | None]:
        """See `Augmentation.apply`."""
        drawn = 2 * torch.rand(len(counts), generator=generator) - 1
        from_where = (-drawn * math.log(self.most)).exp().to(counts.device)
        maps = torch.zeros(len(counts), 2, 3, device=counts.device)
        maps[:, 0, 0] = maps[:, 1, 1] = from_where
        return nearest_pixels(counts, seen, maps)
