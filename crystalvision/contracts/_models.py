"""From image to prediction: backbones, heads and fusions, all plain `nn.Module`s."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import nn


@dataclass(frozen=True, slots=True)
class Targets:
    """What a batch should be recognised as.

    Attributes:
        label: Index of the class, (b,).
        severity: Severity of the defect, 0 for none, (b,).
    """

    label: Int[torch.Tensor, "b"]
    severity: Float[torch.Tensor, "b"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a head says of a batch; what it does not speak about is `None`.

    Attributes:
        probabilities: Probability of each class, (b, k), rows sum to one.
        severity: Severity of the defect, (b,).
    """

    probabilities: Float[torch.Tensor, "b k"] | None = None
    severity: Float[torch.Tensor, "b"] | None = None


class Backbone(nn.Module, ABC):
    """A network from images to a feature map.

    Attributes:
        num_features: Channels f of the feature map.
        stride: Pixels of the image for one point of the feature map; also the smallest image side.
            A pair (rows, columns) where they differ: a network of 1-D patterns (b, c, 1, n) has a
            stride of 1 along the rows.
    """

    num_features: int
    stride: int | tuple[int, int]

    @abstractmethod
    def forward(self, images: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b f h2 w2"]:
        """Features of `images`, (b, c, h, w) → (b, f, h', w')."""


def stride_pair(backbone: Backbone) -> tuple[int, int]:
    """The stride of a backbone along the rows and along the columns of an image [pixels]."""
    stride = backbone.stride
    return (stride, stride) if isinstance(stride, int) else (int(stride[0]), int(stride[1]))


class Head(nn.Module, ABC):
    """Reads pooled features: raw outputs, their loss, and what they predict."""

    @abstractmethod
    def forward(self, features: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b o"]:
        """Raw outputs (b, o) of pooled features (b, f)."""

    @abstractmethod
    def loss(
        self, outputs: Float[torch.Tensor, "b o"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Mean loss of raw outputs (b, o) over the batch."""

    @abstractmethod
    def predict(self, outputs: Float[torch.Tensor, "b o"]) -> Prediction:
        """Probabilities or severity from raw outputs (b, o)."""


class Fusion(nn.Module, ABC):
    """Joins what several branches produced.

    Attributes:
        num_features: Features f of the result.
    """

    num_features: int

    @abstractmethod
    def forward(
        self,
        features: Mapping[str, Float[torch.Tensor, "b _"]],
        outputs: Mapping[str, Float[torch.Tensor, "b _"]],
    ) -> Float[torch.Tensor, "b f"]:
        """Fuse.

        Args:
            features: Pooled features of each branch, name → (b, f_i).
            outputs: Raw outputs of each branch's head, name → (b, o_i), for late fusion.
        """


class Augmentation(ABC):
    """Changes the images of a training batch as another measurement would have changed them."""

    def check(self, image_shape: tuple[int, int, int]) -> None:  # noqa: B027 - most need no check
        """Check, before training, that images of shape (c, h, w) can be changed so.

        Raises:
            InputError: They cannot.
        """

    @abstractmethod
    def apply(
        self, counts: Float[torch.Tensor, "b c h w"], generator: torch.Generator
    ) -> Float[torch.Tensor, "b c h w"]:
        """Other images of the same shape, on the device where they are.

        Args:
            counts: Binned counts, not yet normalised, float32, (b, c, h, w); not changed in place.
            generator: Draws what is random; on the CPU, so that every device gets the same draws.
        """
