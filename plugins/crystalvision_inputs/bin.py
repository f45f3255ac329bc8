"""Sums of counts over squares."""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field

from crystalvision.contracts import Axis, Input, grid_of
from crystalvision.errors import InputError

Size = Annotated[int, Field(ge=1, le=65_536)]


class Bin(Input):
    """Sums counts over squares, or blocks of any number of dimensions.

    A block of which at least half was seen has the sum of what was, scaled up to the whole block;
    another counts as not seen.

    Args:
        axes: Of the patterns.
        size: Points of a block along each dimension, or one number for all of them.

    Raises:
        InputError: The patterns are not so many whole blocks.
    """

    keeps_counts = True

    def __init__(
        self,
        axes: Sequence[Axis],
        size: Size | Annotated[tuple[Size, ...], Field(min_length=1)] = 1,
    ) -> None:
        super().__init__()
        sizes = (size,) * len(axes) if isinstance(size, int) else tuple(size)
        if len(sizes) != len(axes):
            raise InputError(
                f"input 'bin': size={list(sizes)} for patterns of {len(axes)} dimensions; expected "
                "one number, or one for each of them"
            )
        grid = grid_of(axes)
        if any(length % one for length, one in zip(grid, sizes, strict=True)):
            text = "×".join(map(str, grid))
            raise InputError(
                f"input 'bin': size={size if isinstance(size, int) else list(size)} does not "
                f"divide images of {text} pixels; choose a divisor of all sides"
            )
        self.sizes = sizes

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`: a point lies in the middle of its block."""
        return tuple(
            axis.model_copy(
                update={
                    "size": axis.size // size,
                    "scale": axis.scale * size,
                    "offset": axis.offset + axis.scale * (size - 1) / 2,
                }
            )
            for axis, size in zip(axes, self.sizes, strict=True)
        )

    def forward(
        self,
        images: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid2"], Bool[torch.Tensor, "b #c *grid2"] | None]:
        """See `Input.forward`."""
        sums = self._sums(images)
        if seen is None:
            return sums, None
        whole = torch.tensor(self.sizes).prod().item()
        number = self._sums(seen.to(images.dtype))
        return sums * (whole / number.clamp_min(1)), 2 * number >= whole

    def _sums(self, values: Float[torch.Tensor, "b c *grid"]) -> Float[torch.Tensor, "b c *grid2"]:
        # Sums as such: exporters make a mean of a pooling whose divisor is overridden.
        for place in reversed(range(len(self.sizes))):
            size, dim = self.sizes[place], place + 2
            if size > 1:
                values = torch.unflatten(values, dim, (values.shape[dim] // size, size))
                values = values.sum(dim + 1)
        return values
