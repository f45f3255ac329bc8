"""ResNet-18, from torchvision."""

import math

import torch
from jaxtyping import Float
from torch import nn
from torchvision.models import resnet18

from crystalvision.contracts import Backbone
from crystalvision.errors import InputError
from crystalvision_backbones._checks import check_batch_statistics, check_images


class ResNet18(Backbone):
    """ResNet-18 up to its pooling, untrained, for images of any number of channels.

    Args:
        in_channels: Channels of the images.
        zero_init_residual: Begin with residual blocks that change nothing (Goyal et al. 2017,
            arXiv:1706.02677).

    Attributes:
        num_features: 512.
        stride: 32.

    Raises:
        InputError: Fewer than one channel.

    Source: He et al. 2016, arXiv:1512.03385, as `torchvision.models.resnet18`.
    """

    def __init__(self, in_channels: int, zero_init_residual: bool = False) -> None:
        super().__init__()
        if in_channels < 1:
            raise InputError(f"in_channels={in_channels}: images have at least one channel")
        network = resnet18(weights=None, zero_init_residual=zero_init_residual)
        stem = nn.Conv2d(in_channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        self.in_channels = in_channels
        self.num_features = 512
        self.stride = 32
        self.stem = nn.Sequential(stem, network.bn1, network.relu, network.maxpool)
        self.layer1 = network.layer1
        self.layer2 = network.layer2
        self.layer3 = network.layer3
        self.layer4 = network.layer4

    def forward(self, images: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b f h2 w2"]:
        """Features of images: (b, c, h, w) → (b, 512, ⌈h/32⌉, ⌈w/32⌉).

        Raises:
            InputError: Images of the wrong shape, smaller than 32 pixels, or, in training, a single
                image of 32 pixels.
        """
        check_images("resnet18", images, self.in_channels, self.stride)
        if self.training:
            points = math.prod(math.ceil(side / self.stride) for side in images.shape[2:])
            check_batch_statistics("resnet18", len(images) * points)
        maps: torch.Tensor = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(images)))))
        return maps
