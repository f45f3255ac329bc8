"""A residual network for patterns of one dimension."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import nn

from crystalvision.contracts import Backbone
from crystalvision.errors import InputError
from crystalvision_backbones._checks import (
    check_batch_statistics,
    check_images,
    check_in_channels,
)
from crystalvision_backbones._initialise import initialise
from crystalvision_backbones._weights import load_weights

Many = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


class ResNet1d(Backbone):
    """A residual network of one dimension: a strided convolution, then stages that halve.

    Each stage begins with a block of stride 2; a block is two convolutions, each with batch
    normalisation, beside a shortcut. As the network of Wang et al. it takes most of its steps at
    low resolution, so it costs about the same and is deeper.

    Args:
        in_channels: Channels c of the patterns.
        widths: Channels of each stage.
        blocks: Blocks of each stage, or one number for all of them.
        kernel: Width of the convolutions [points], odd.
        stem_kernel: Width of the first one [points], odd.
        dropout: Share of the features that training leaves out at random, in [0, 1).
        weights: Weights to begin with: the path of a file .safetensors or .pth, or RUN#BRANCH, a
            branch of another run.

    Attributes:
        num_features: Channels of the last stage.
        stride: 2 to one more than the number of stages.

    Raises:
        InputError: Fewer than one channel, a kernel of even width, not as many blocks as widths, or
            no such weights.

    Source: He et al. 2016, arXiv:1512.03385.
    """

    dimensions = frozenset({1})

    def __init__(
        self,
        in_channels: int,
        *,
        widths: Many = (32, 64, 96, 128),
        blocks: PositiveInt | Many = 1,
        kernel: PositiveInt = 5,
        stem_kernel: PositiveInt = 9,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        check_in_channels(in_channels)
        _check_odd(kernel=kernel, stem_kernel=stem_kernel)
        self.in_channels = in_channels
        self.num_features = widths[-1]
        self.stride: int = 2 ** (len(widths) + 1)
        self.stem = nn.Sequential(
            nn.Conv1d(in_channels, widths[0], stem_kernel, 2, stem_kernel // 2, bias=False),
            nn.BatchNorm1d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = []
        entering = widths[0]
        for width, number in zip(widths, _each(blocks, len(widths)), strict=True):
            for place in range(number):
                stages.append(_Block(entering, width, kernel, 1 if place else 2))
                entering = width
        self.stages = nn.Sequential(*stages, nn.Dropout(dropout))
        self.apply(initialise)
        load_weights("resnet-1d", self, weights)

    def forward(self, images: Float[torch.Tensor, "b c n"]) -> Float[torch.Tensor, "b f n2"]:
        """Features of patterns: (b, c, n) → (b, f, ⌈n / stride⌉).

        Raises:
            InputError: Patterns of the wrong shape or shorter than the stride, or training on one
                pattern that leaves a single point.
        """
        check_images("resnet-1d", images, self.in_channels, self.stride, dimensions=1)
        if self.training:
            points = -(-images.shape[2] // self.stride)
            check_batch_statistics("resnet-1d", len(images) * points)
        maps: torch.Tensor = self.stages(self.stem(images))
        return maps


class _Block(nn.Module):
    """Two convolutions beside a shortcut, which is a 1×1 convolution where the shape changes."""

    def __init__(self, entering: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(entering, width, kernel, stride, kernel // 2, bias=False)
        self.first_norm = nn.BatchNorm1d(width)
        self.second = nn.Conv1d(width, width, kernel, 1, kernel // 2, bias=False)
        self.second_norm = nn.BatchNorm1d(width)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or entering != width:
            self.shortcut = nn.Sequential(
                nn.Conv1d(entering, width, 1, stride, bias=False), nn.BatchNorm1d(width)
            )

    def forward(self, maps: Float[torch.Tensor, "b c n"]) -> Float[torch.Tensor, "b f n2"]:
        """Maps (b, c, n) → (b, f, ⌈n / stride⌉)."""
        inner = torch.relu(self.first_norm(self.first(maps)))
        added: torch.Tensor = self.second_norm(self.second(inner)) + self.shortcut(maps)
        return torch.relu(added)


def _each(blocks: int | tuple[int, ...], stages: int) -> tuple[int, ...]:
    numbers = (blocks,) * stages if isinstance(blocks, int) else tuple(blocks)
    if len(numbers) != stages:
        raise InputError(
            f"resnet-1d: blocks={list(numbers)} for {stages} widths; expected one number, or one "
            "for each width"
        )
    return numbers


def _check_odd(**kernels: int) -> None:
    for name, width in kernels.items():
        if width % 2 == 0:
            raise InputError(
                f"resnet-1d: {name}={width}; expected an odd number, so that peaks stay in place"
            )
