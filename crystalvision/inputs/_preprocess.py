"""From raw counts to what a network sees; the same in training and in prediction."""

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import cast

import torch
from jaxtyping import Bool, Float, Num
from torch import nn

from crystalvision.contracts import Axis, Input, check_tensor, described, grid_of, origin_of
from crystalvision.errors import InputError, PluginError

Seen = torch.Tensor | None
"""Which points of images were measured, (b, 1 or c, *grid); `None` for all of them."""

Augment = Callable[[torch.Tensor, Seen], tuple[torch.Tensor, Seen]]
"""Changes the counts of a batch, and with them which of their points were seen."""


class Preprocess(nn.Module):
    """Steps from raw counts to what a network sees; has no weights.

    The leading steps whose results are counts still are done once, and augmentations change what
    these give; the others follow.

    Args:
        steps: The steps.
        axes: Of the raw patterns, and of what each step gives.

    Attributes:
        raw_axes: Axes of the raw patterns.
        count_axes: Axes of the counts that augmentations change.
        axes: Axes of what a network sees.
    """

    def __init__(self, steps: Sequence[Input], axes: Sequence[tuple[Axis, ...]]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)
        self._grids = tuple(axes)
        self._counting = len(list(takewhile(lambda step: step.keeps_counts, steps)))

    @property
    def raw_axes(self) -> tuple[Axis, ...]:
        """Axes of the raw patterns."""
        return self._grids[0]

    @property
    def count_axes(self) -> tuple[Axis, ...]:
        """Axes of what `count` gives."""
        return self._grids[self._counting]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Axes of what `forward` gives."""
        return self._grids[-1]

    def channels(self, channels: int) -> int:
        """Channels of what `forward` gives of patterns of so many."""
        for step in self.steps:
            channels = cast("Input", step).channels(channels)
        return channels

    def forward(
        self,
        images: Num[torch.Tensor, "b c *grid"],
        augment: Augment | None = None,
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> Float[torch.Tensor, "b c2 *grid2"]:
        """Prepare raw patterns (b, c, *grid) → (b, c', *grid'), float32.

        Args:
            images: Raw counts.
            augment: Changes the counts that the leading steps give.
            seen: Which points were measured.

        Raises:
            InputError: Patterns of another grid.
            PluginError: A step gives something else than its axes say.
        """
        counts, seen = self.count(images, seen)
        return self.finish(counts, augment, seen)

    def count(
        self,
        images: Num[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c2 *grid2"], Bool[torch.Tensor, "b #c2 *grid2"] | None]:
        """Do the leading steps whose results are counts still, as sums over squares are.

        Args:
            images: Raw counts.
            seen: Which points were measured.

        Raises:
            InputError: Patterns of another grid.
            PluginError: A step gives something else than its axes say.
        """
        grid = grid_of(self.raw_axes)
        if tuple(images.shape[2:]) != grid:
            raise InputError(
                f"patterns of {_sizes(images.shape[2:])} points; the input was built for "
                f"{_sizes(grid)}"
            )
        return self._run(_hidden(images.to(torch.float32), seen), seen, 0, self._counting)

    def finish(
        self,
        counts: Float[torch.Tensor, "b c *grid"],
        augment: Augment | None = None,
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> Float[torch.Tensor, "b c2 *grid2"]:
        """Do the other steps, and give what was not seen the mean of what was seen of its image.

        Where a step has added channels, it is the mean of its own channel.

        Args:
            counts: What `count` gives.
            augment: Changes them first.
            seen: Which of their points were seen.

        Raises:
            PluginError: A step gives something else than its axes say.
        """
        if augment is not None:
            counts, seen = augment(counts, seen)
            counts = _hidden(counts, seen)
        images, seen = self._run(counts, seen, self._counting, len(self.steps))
        if seen is None:
            return images
        return _filled(images, seen, by_channel=images.shape[1] != counts.shape[1])

    def _run(
        self, images: torch.Tensor, seen: Seen, first: int, last: int
    ) -> tuple[torch.Tensor, Seen]:
        for number in range(first, last):
            step = self.steps[number]
            who = f"the {origin_of(step, 'input')}"
            grid = grid_of(self._grids[number + 1])
            given = step(images, seen)
            if not isinstance(given, tuple) or len(given) != 2:
                raise PluginError(
                    f"{who} gave {described(given)}; expected a pair (images, seen) of images and "
                    "of what was seen of them"
                )
            channels = cast("Input", step).channels(images.shape[1])
            sizes = (None, channels, *grid)
            expected = f"(b, {channels}, {', '.join(map(str, grid))})"
            before, (images, seen) = images, given
            check_tensor(images, who, expected, sizes=sizes, like=before)
            if seen is not None:
                _check_seen(who, seen, images)
            images = _hidden(images, seen)
        return images, seen


def _check_seen(who: str, seen: object, images: torch.Tensor) -> None:
    """Check what a step says was seen.

    Raises:
        PluginError: It is no mask of the images.
    """
    if (
        not isinstance(seen, torch.Tensor)
        or seen.dtype != torch.bool
        or seen.ndim != images.ndim
        or seen.shape[1] not in {1, images.shape[1]}
        or seen.shape[2:] != images.shape[2:]
    ):
        raise PluginError(f"{who} gave no mask (b, 1 or c, *grid) of the images that it gave")


def _hidden(images: torch.Tensor, seen: Seen) -> torch.Tensor:
    """Images whose points that were not seen are 0."""
    return images if seen is None else images.masked_fill(~seen, 0.0)


def _filled(images: torch.Tensor, seen: torch.Tensor, *, by_channel: bool) -> torch.Tensor:
    """Images whose points that were not seen have the mean of those of the image that were."""
    dims = tuple(range(2 if by_channel else 1, images.ndim))
    everywhere = seen.expand_as(images)
    number = everywhere.sum(dims, keepdim=True).clamp_min(1)
    mean = _hidden(images, seen).sum(dims, keepdim=True) / number
    return torch.where(everywhere, images, mean)


def _sizes(grid: Sequence[int]) -> str:
    return "×".join(map(str, grid))
