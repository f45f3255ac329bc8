"""What a network sees of raw patterns: steps that a plugin offers, one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import nn

from crystalvision.contracts._axes import Axis

ANY_DIMENSION: frozenset[int] = frozenset({1, 2, 3})
"""Of a thing that works on grids of every number of dimensions."""


class Input(nn.Module, ABC):
    """One step from raw counts to what a network sees; a module without weights.

    It is saved with the run, is part of an exported graph, and is the same in training and in
    prediction. Every image is treated by itself, whatever the batch. A factory that asks for `axes`
    is given those of what it will get, from which it can make what it needs once.

    Attributes:
        dimensions: Numbers of dimensions of the grids that it works on.
        keeps_counts: Whether what it gives are counts still, as sums of counts are: augmentations
            change what the last such step at the beginning gives.
    """

    dimensions: ClassVar[frozenset[int]] = ANY_DIMENSION
    keeps_counts: ClassVar[bool] = False

    def __init__(self) -> None:  # of a module it would take any keyword, and so any option
        super().__init__()

    @abstractmethod
    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """The axes of what it gives, from those of what it gets.

        Raises:
            InputError: It cannot work on such a grid.
        """

    def channels(self, channels: int) -> int:
        """How many channels it gives of so many; a step that gives another number comes last."""
        return channels

    @abstractmethod
    def forward(
        self,
        images: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c2 *grid2"], Bool[torch.Tensor, "b #c2 *grid2"] | None]:
        """Prepare images.

        Args:
            images: float32, (b, c, *grid); not changed in place. What was not seen is 0.
            seen: Which of its points were measured, (b, 1 or c, *grid), or `None` for all of them.

        Returns:
            The images, (b, c', *grid'), and which of their points were seen, `None` where `seen`
            is. What it gives for points that were not seen does not matter: the toolkit sets them
            to 0 before the next step, and after the last to the mean of what was seen of the image,
            or of the channel where one was added.
        """
