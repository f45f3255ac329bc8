"""Turns by any angle."""

import math
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field

from crystalvision.contracts import Augmentation
from crystalvision_augmentation._channels import check_one_channel
from crystalvision_augmentation._nearest import nearest_pixels


class Rotation(Augmentation):
    """Turns each image about its centre by a random angle.

    Each pixel takes the counts of the one nearest to where it came from: a mean of several would
    have less noise than any detector. Corners that come from outside the detector
    have no counts; in images that say which of their points were seen, they were not.

    Args:
        degrees: The angle lies between minus and plus this.
    """

    def __init__(self, degrees: Annotated[float, Field(gt=0, le=180)] = 180.0) -> None:
        self.degrees = degrees

    def check(self, image_shape: tuple[int, ...]) -> None:
        """See `Augmentation.check`."""
        check_one_channel("rotation", image_shape[0])

    def apply(
        self,
        counts: Float[torch.Tensor, "b c h w"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c h w"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c h w"], Bool[torch.Tensor, "b #c h w"] | None]:
        """See `Augmentation.apply`."""
        drawn = torch.rand(len(counts), generator=generator)
        angle = ((2 * drawn - 1) * math.radians(self.degrees)).to(counts.device)
        height, width = counts.shape[-2:]
        cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
        # The grid runs from -1 to 1 along both sides, whatever their lengths.
        rows = [
            torch.stack([cos, -sin * height / width, zero], dim=1),
            torch.stack([sin * width / height, cos, zero], dim=1),
        ]
        return nearest_pixels(counts, seen, torch.stack(rows, dim=1))
