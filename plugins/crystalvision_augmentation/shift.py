"""A pattern that is not quite centred."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch.nn import functional

from crystalvision.contracts import Augmentation
from crystalvision.errors import InputError


class Shift(Augmentation):
    """Shifts each image by a whole number of pixels, as a beam that is not quite centred.

    What comes from outside the detector has no counts.

    Args:
        pixels: The most pixels, of the binned image, in each direction.
    """

    def __init__(self, pixels: Annotated[int, Field(ge=1)] = 2) -> None:
        self.pixels = pixels

    def check(self, image_shape: tuple[int, int, int]) -> None:
        """See `Augmentation.check`."""
        _, height, width = image_shape
        if 2 * self.pixels >= min(height, width):
            raise InputError(
                f"augmentation 'shift' by up to {self.pixels} pixels moves images of "
                f"{height}×{width} out of themselves; lower pixels"
            )

    def apply(
        self, counts: Float[torch.Tensor, "b c h w"], generator: torch.Generator
    ) -> Float[torch.Tensor, "b c h w"]:
        """See `Augmentation.apply`."""
        height, width = counts.shape[-2:]
        most = self.pixels
        padded = functional.pad(counts, [most] * 4)
        drawn = torch.randint(2 * most + 1, (len(counts), 2), generator=generator)
        moved = [
            image[:, top : top + height, left : left + width]
            for image, (top, left) in zip(padded, drawn.tolist(), strict=True)
        ]
        return torch.stack(moved)
