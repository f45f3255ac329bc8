"""The 1-D convolutional network of Wang et al., which reads powder patterns."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import nn

from crystalvision.contracts import Backbone
from crystalvision_backbones._checks import check_images, check_in_channels
from crystalvision_backbones._initialise import initialise
from crystalvision_backbones._weights import load_weights


class XrdNet(Backbone):
    """The 1-D network of Wang et al. for powder patterns: four convolutions of width 5, four pools.

    Each convolution is followed by ReLU and a maximum over two points (the text can also be read as
    one pool after all four); dropout ends the backbone. The original goes on with dense layers of
    120 and 84 units and one for the classes: in a system they are the head's, on features that do
    not depend on the pattern's length. The convolutions are padded, so that the stride holds from
    the first point on.

    Args:
        in_channels: Channels c of the patterns.
        widths: Channels of each convolution.
        kernel: Width of the convolutions [points].
        dropout: Share of the features that training leaves out at random, in [0, 1).
        weights: Weights to begin with: the path of a file .safetensors or .pth, or RUN#BRANCH, a
            branch of another run.

    Attributes:
        num_features: Channels of the last convolution, 64.
        stride: 2 to the number of convolutions, 16.

    Raises:
        InputError: Fewer than one channel, or no such weights.

    Source: Wang et al. 2020, Journal of Chemical Information and Modeling 60, 2004.
    """

    dimensions = frozenset({1})

    def __init__(
        self,
        in_channels: int,
        *,
        widths: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (6, 16, 32, 64),
        kernel: PositiveInt = 5,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        check_in_channels(in_channels)
        self.in_channels = in_channels
        self.num_features = widths[-1]
        self.stride: int = 2 ** len(widths)
        layers: list[nn.Module] = []
        for entering, width in zip((in_channels, *widths), widths, strict=False):
            layers += [
                nn.Conv1d(entering, width, kernel, padding="same"),
                nn.ReLU(inplace=True),
                nn.MaxPool1d(2),
            ]
        self.layers = nn.Sequential(*layers, nn.Dropout(dropout))
        self.apply(initialise)
        load_weights("xrdnet", self, weights)

    def forward(self, images: Float[torch.Tensor, "b c n"]) -> Float[torch.Tensor, "b f n2"]:
        """Features of patterns: (b, c, n) → (b, f, ⌊n / 16⌋).

        Raises:
            InputError: Patterns of the wrong shape or shorter than the stride.
        """
        check_images("xrdnet", images, self.in_channels, self.stride, dimensions=1)
        maps: torch.Tensor = self.layers(images)
        return maps
