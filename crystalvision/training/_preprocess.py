"""From raw detector counts to what a network sees; the same in training and in prediction."""

from collections.abc import Callable
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import nn

from crystalvision.config import Config
from crystalvision.errors import InputError

Augment = Callable[[torch.Tensor], torch.Tensor]
"""Changes a batch of binned counts."""


class InputConfig(Config):
    """How patterns are prepared.

    Attributes:
        bin: Side of the squares of pixels whose counts are summed.
        normalisation: What is done to the counts: `log1p`, then each image, all of its channels
            together, is shifted and scaled to mean 0 and standard deviation 1.
    """

    bin: Annotated[int, Field(ge=1, le=65_536)] = 1
    normalisation: Literal["log1p-standardise"] = "log1p-standardise"


class Preprocess(nn.Module):
    """Bins and normalises raw patterns; has no weights."""

    def __init__(self, config: InputConfig) -> None:
        super().__init__()
        self.config = config

    def check(self, height: int, width: int) -> tuple[int, int]:
        """The size (h, w) of a prepared image.

        Raises:
            InputError: The size cannot be divided by the bin.
        """
        size = self.config.bin
        if height % size or width % size:
            raise InputError(
                f"input.bin={size} does not divide images of {height}×{width} pixels; "
                "choose a divisor of both sides"
            )
        return height // size, width // size

    def forward(
        self, images: Float[torch.Tensor, "b c h w"], augment: Augment | None = None
    ) -> Float[torch.Tensor, "b c h2 w2"]:
        """Prepare raw images (b, c, h, w) → (b, c, h / bin, w / bin), float32.

        Args:
            images: Raw counts.
            augment: Changes binned counts (b, c, h / bin, w / bin) before they are normalised.
        """
        counts = self.bin(images)
        return self.normalise(counts if augment is None else augment(counts))

    def bin(self, images: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b c h2 w2"]:
        """Sum raw counts over squares: (b, c, h, w) → (b, c, h / bin, w / bin), float32."""
        counts = images.to(torch.float32)
        size = self.config.bin
        if size > 1:
            self.check(counts.shape[-2], counts.shape[-1])
            # Sums as such: exporters make a mean of a pooling whose divisor is overridden.
            rows, columns = counts.shape[-2] // size, counts.shape[-1] // size
            counts = torch.unflatten(counts, 3, (columns, size)).sum(4)
            counts = torch.unflatten(counts, 2, (rows, size)).sum(3)
        return counts

    def normalise(self, counts: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b c h w"]:
        """What a network sees of binned counts; a constant image becomes zeros, up to rounding."""
        images = torch.log1p(counts)
        axes = (1, 2, 3)
        images = images - images.mean(axes, keepdim=True)
        deviation = images.std(axes, correction=0, keepdim=True)
        # Below 1e-4 there is nothing but rounding, which must not be scaled up.
        return images / torch.where(deviation > 1e-4, deviation, torch.ones_like(deviation))
