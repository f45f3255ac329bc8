"""A beam stop."""

import math
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field

from crystalvision.contracts import Augmentation
from crystalvision.errors import InputError


class BeamStop(Augmentation):
    """Hides the direct beam of some images behind a disc on a bar, at a random angle.

    The shadow has no counts; in images that say which of their points were seen, it was not.
    Without it, a model may learn to read the direct beam's brightness, which many detectors must
    not see.

    Args:
        radius_pixels: Radius of the disc, in pixels of the binned image.
        bar_pixels: Width of the bar that holds it; 0 for none.
        share: Share of the images that have one.
        masked: Whether its shadow is marked as not seen in images that say nothing of it, too: for
            models that live with masks, by the input `mask-channel`.
    """

    def __init__(
        self,
        radius_pixels: Annotated[float, Field(gt=0)] = 4.0,
        bar_pixels: Annotated[float, Field(ge=0)] = 3.0,
        share: Annotated[float, Field(gt=0, le=1)] = 0.5,
        masked: bool = False,
    ) -> None:
        self.radius_pixels = radius_pixels
        self.bar_pixels = bar_pixels
        self.share = share
        self.masked = masked

    def check(self, image_shape: tuple[int, ...]) -> None:
        """See `Augmentation.check`."""
        _, height, width = image_shape
        if max(2 * self.radius_pixels, self.bar_pixels) >= min(height, width):
            raise InputError(
                f"augmentation 'beam-stop' with radius_pixels={self.radius_pixels:g} and "
                f"bar_pixels={self.bar_pixels:g} hides all of an image of {height}×{width}; "
                "lower them"
            )

    def apply(
        self,
        counts: Float[torch.Tensor, "b c h w"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c h w"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c h w"], Bool[torch.Tensor, "b #c h w"] | None]:
        """See `Augmentation.apply`."""
        height, width = counts.shape[-2:]
        drawn = torch.rand(len(counts), 2, generator=generator).to(counts.device)
        angle = 2 * math.pi * drawn[:, 0, None, None]
        y = torch.arange(height, device=counts.device)[:, None] - height // 2
        x = torch.arange(width, device=counts.device)[None, :] - width // 2
        along = x * angle.cos() + y * angle.sin()
        across = y * angle.cos() - x * angle.sin()
        hidden = torch.hypot(x.float(), y.float()) <= self.radius_pixels
        hidden = hidden | ((along >= 0) & (2 * across.abs() < self.bar_pixels))
        hidden = (hidden & (drawn[:, 1, None, None] < self.share))[:, None]
        if seen is None and self.masked:
            seen = torch.ones_like(hidden)
        return counts.masked_fill(hidden, 0.0), None if seen is None else seen & ~hidden
