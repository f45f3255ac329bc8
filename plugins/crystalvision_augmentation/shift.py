"""A pattern that is not quite centred."""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch.nn import functional

from crystalvision.contracts import ANY_DIMENSION, Augmentation
from crystalvision.errors import InputError


class Shift(Augmentation):
    """Shifts each image by a whole number of points, as a beam that is not quite centred.

    What comes from outside the detector has no counts; in images that say which of their points
    were seen, it was not.

    Args:
        pixels: The most pixels, of the binned image, in each direction.
    """

    dimensions = ANY_DIMENSION

    def __init__(self, pixels: Annotated[int, Field(ge=1)] = 2) -> None:
        self.pixels = pixels

    def check(self, image_shape: tuple[int, ...]) -> None:
        """See `Augmentation.check`."""
        grid = image_shape[1:]
        if 2 * self.pixels >= min(grid):
            raise InputError(
                f"augmentation 'shift' by up to {self.pixels} pixels moves images of "
                f"{'×'.join(map(str, grid))} out of themselves; lower pixels"
            )

    def apply(
        self,
        counts: Float[torch.Tensor, "b c *grid"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b #c *grid"] | None]:
        """See `Augmentation.apply`."""
        places = torch.randint(
            2 * self.pixels + 1, (len(counts), counts.ndim - 2), generator=generator
        ).tolist()
        return self._moved(counts, places), None if seen is None else self._moved(seen, places)

    def _moved(self, images: torch.Tensor, places: Sequence[Sequence[int]]) -> torch.Tensor:
        """Images that begin at these places of what is padded by the most on all sides."""
        grid = images.shape[2:]
        padded = functional.pad(images, [self.pixels] * 2 * len(grid))
        moved = [
            image[(slice(None), *map(_part, place, grid))]
            for image, place in zip(padded, places, strict=True)
        ]
        return torch.stack(moved)


def _part(first: int, size: int) -> slice:
    return slice(first, first + size)
