"""The convolutional network of Ziletti et al., which reads diffraction fingerprints."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import nn

from crystalvision.contracts import Backbone
from crystalvision_backbones._checks import check_images, check_in_channels
from crystalvision_backbones._initialise import initialise
from crystalvision_backbones._weights import load_weights


class Ziletti(Backbone):
    """The network of Ziletti et al. for diffraction fingerprints: six 7×7 convolutions, two pools.

    Pairs of convolutions with ReLU, of 32, 16 and 8 channels, and between the pairs a maximum over
    2×2 points and dropout. The original goes on with a dense layer of 128 units on the flattened
    map, ReLU, batch normalisation and a dense layer of as many units as classes: 365,719 weights
    for three channels of 64 pixels and 7 classes, of which 102,032 are the convolutions' here. In
    a system, the map is averaged and a head such as `perceptron` reads it, at any size of image.

    Args:
        in_channels: Channels c of the images; the original has 3, rotations about x, y and z.
        widths: Channels of each pair of convolutions; a pool goes between two pairs.
        kernel: Side of the convolutions [points].
        dropout: Share of each pool's result that training leaves out at random, in [0, 1).
        weights: Weights to begin with: the path of a file .safetensors or .pth, or RUN#BRANCH, a
            branch of another run.

    Attributes:
        num_features: Channels of the last pair, 8.
        stride: 2 to the number of pools, 4.

    Raises:
        InputError: Fewer than one channel, or no such weights.

    Source: Ziletti et al. 2018, Nature Communications 9, 2775, doi 10.1038/s41467-018-05169-6.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        widths: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (32, 16, 8),
        kernel: PositiveInt = 7,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.25,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        check_in_channels(in_channels)
        self.in_channels = in_channels
        self.num_features = widths[-1]
        self.stride: int = 2 ** (len(widths) - 1)
        layers: list[nn.Module] = []
        entering = in_channels
        for number, width in enumerate(widths):
            if number:
                layers += [nn.MaxPool2d(2), nn.Dropout(dropout)]
            layers += [
                nn.Conv2d(entering, width, kernel, padding="same"),
                nn.ReLU(inplace=True),
                nn.Conv2d(width, width, kernel, padding="same"),
                nn.ReLU(inplace=True),
            ]
            entering = width
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)
        load_weights("ziletti", self, weights)

    def forward(self, images: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b f h2 w2"]:
        """Features of images: (b, c, h, w) → (b, f, ⌊h / stride⌋, ⌊w / stride⌋).

        Raises:
            InputError: Images of the wrong shape or smaller than the stride.
        """
        check_images("ziletti", images, self.in_channels, self.stride)
        maps: torch.Tensor = self.layers(images)
        return maps
