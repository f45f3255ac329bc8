"""From image to prediction: backbones, heads and fusions, all plain `nn.Module`s."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
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
        stride: Points of the grid for one point of the feature map; also the smallest image side.
            One number for all dimensions of the grid, or a number for each.
        dimensions: Numbers of dimensions of the grids that it reads: `{1}` for (b, c, n), `{2}`
            for (b, c, h, w).
    """

    num_features: int
    stride: int | tuple[int, ...]
    dimensions: frozenset[int] = frozenset({2})

    @abstractmethod
    def forward(
        self, images: Float[torch.Tensor, "b c *grid"]
    ) -> Float[torch.Tensor, "b f *grid2"]:
        """Features of `images`, (b, c, *grid) → (b, f, *grid')."""


def strides(backbone: Backbone, dimensions: int) -> tuple[int, ...]:
    """The stride of a backbone along each dimension of a grid of so many [points]."""
    stride = backbone.stride
    return (stride,) * dimensions if isinstance(stride, int) else tuple(map(int, stride))


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
    """Changes the images of a training batch as another measurement would have changed them.

    Attributes:
        dimensions: Numbers of dimensions of the grids that it works on.
    """

    dimensions: frozenset[int] = frozenset({2})

    def check(self, image_shape: tuple[int, ...]) -> None:  # noqa: B027 - most need no check
        """Check, before training, that images of shape (c, *grid) can be changed so.

        Raises:
            InputError: They cannot.
        """

    @abstractmethod
    def apply(
        self,
        counts: Float[torch.Tensor, "b c *grid"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b #c *grid"] | None]:
        """Other images of the same shape, on the device where they are.

        Args:
            counts: Counts as the leading steps of the input give them, such as sums over squares,
                float32, (b, c, *grid); not changed in place. What was not seen is 0.
            generator: Draws what is random; on the CPU, so that every device gets the same draws.
            seen: Which of their points were measured, (b, 1 or c, *grid); `None` for all of them.

        Returns:
            The images, and which of their points were seen: moved as the images are, or `None`
            where `seen` is `None`. What comes from outside the detector is not seen, or 0 where
            nothing tells.
        """
