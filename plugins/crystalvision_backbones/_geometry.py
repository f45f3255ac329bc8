"""Measures what a network of another library makes of images: width, stride, and least size."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.func import functional_call

from crystalvision.errors import InputError

Layout = Literal["channels first", "channels last", "tokens"]

_PROBE = (896, 1792)
"""Sides that all usual strides divide: the powers of two to 128, and those times seven."""

_LARGEST_PADDING = 8
"""In strides; a network that needs more is made for images of one size."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """What a network makes of images.

    Attributes:
        num_features: Channels f of its feature map.
        stride: Pixels for one point of the map.
        padding: Zeros to add to each side's length, so that an image of one stride gives one point
            [pixels].
        layout: (b, f, h', w'), (b, h', w', f), or tokens (b, p + h' w', f).
        prefix: Tokens p before those of the image's patches.
    """

    num_features: int
    stride: int
    padding: int
    layout: Layout
    prefix: int = 0

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Patches (h', w') of an image of tokens; a border patch may be partly empty."""
        return math.ceil(height / self.stride), math.ceil(width / self.stride)


def measure(name: str, network: nn.Module, in_channels: int) -> Geometry:
    """Measure a network by running shapes through it; nothing is computed.

    Args:
        name: Its name, for errors.
        network: Takes images (b, c, h, w); gives a map, or tokens after `num_prefix_tokens` others.
        in_channels: Channels c of the images.

    Raises:
        InputError: It takes images of one size alone, or gives neither a map nor tokens.
    """
    mode = network.training
    network.eval()
    try:
        return _measure(name, _Shapes(network, in_channels))
    finally:
        network.train(mode)


class _Shapes:
    """A network whose weights have shapes but no values."""

    def __init__(self, network: nn.Module, in_channels: int) -> None:
        self.network = network
        self.in_channels = in_channels
        self.prefix = int(getattr(network, "num_prefix_tokens", 0))
        state = [*network.named_parameters(), *network.named_buffers()]
        self.state = {key: value.detach().to("meta") for key, value in state}
        self.seen: dict[int, int] = {}

    @torch.no_grad()
    def __call__(self, height: int, width: int) -> torch.Size:
        images = torch.empty(1, self.in_channels, height, width, device="meta")
        result: torch.Tensor = functional_call(self.network, self.state, (images,))
        return result.shape

    def points(self, side: int) -> int:
        """Side of the map of a square image, 0 where the image is too small."""
        if side not in self.seen:
            self.seen[side] = self._points(side)
        return self.seen[side]

    def _points(self, side: int) -> int:
        try:
            shape = self(side, side)
        except (RuntimeError, ValueError, AssertionError):
            return 0
        if len(shape) == 3:
            return math.isqrt(shape[1] - self.prefix)
        return shape[2]  # height, or the width of a square map with the channels last


def _measure(name: str, shapes: _Shapes) -> Geometry:
    height, width = _PROBE
    try:
        shape = shapes(height, width)
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{name} does not take images of any size ({reason}); a backbone must"
        ) from error
    if len(shape) == 3:
        patches = shape[1] - shapes.prefix
        stride = math.isqrt(height * width // max(patches, 1))
        if patches * stride**2 != height * width:
            raise InputError(f"{name} gives {shape[1]} tokens, which are no map of the image")
        layout: Layout = "tokens"
        features = shape[2]
    elif len(shape) == 4:
        last = _doubles(shape[1], shape[2]) and not _doubles(shape[2], shape[3])
        layout = "channels last" if last else "channels first"
        _, rows, columns, features = shape if last else (shape[0], *shape[2:], shape[1])
        stride = (width - height) // max(columns - rows, 1)
    else:
        raise InputError(f"{name} gives a result of shape {tuple(shape)}, no map of the image")
    return Geometry(features, stride, _padding(name, shapes, stride), layout, shapes.prefix)


def _doubles(rows: int, columns: int) -> bool:
    """Whether these can be the sides of a map of the probe, twice as wide as high."""
    return abs(columns - 2 * rows) <= 4


def _padding(name: str, shapes: _Shapes, stride: int) -> int:
    """The least zeros after which one stride gives one point, and two give two."""
    low, high = 0, _LARGEST_PADDING * stride
    if shapes.points(stride):
        high = 0
    while low < high:
        middle = (low + high) // 2
        if shapes.points(stride + middle):
            high = middle
        else:
            low = middle + 1
    found = [shapes.points(number * stride + low) for number in (1, 2)]
    if found != [1, 2]:
        raise InputError(
            f"{name} does not take images of any size: {stride} and {2 * stride} pixels should "
            f"give 1 and 2 points, not {found[0]} and {found[1]}"
        )
    return low
