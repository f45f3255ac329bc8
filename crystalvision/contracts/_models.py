"""From image to prediction: backbones, heads and fusions, all plain `nn.Module`s."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import nn

from crystalvision.contracts._targets import Estimate, Targets


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


def dimensions_of(backbone: Backbone) -> frozenset[int]:
    """Numbers of dimensions of the grids that a backbone reads; 2 where it does not say."""
    return frozenset(getattr(backbone, "dimensions", {2}))


def strides(backbone: Backbone, dimensions: int) -> tuple[int, ...]:
    """The stride of a backbone along each dimension of a grid of so many [points]."""
    stride = backbone.stride
    return (stride,) * dimensions if isinstance(stride, int) else tuple(map(int, stride))


class Head(nn.Module, ABC):
    """Reads features: raw outputs, their loss, and what they say of each target.

    Attributes:
        targets: Names of what it learns, such as `("label",)`; its options decide.
        reads: `pooled`: the mean of the feature map, (b, f); `map`: the map itself, (b, f, *grid').
    """

    targets: tuple[str, ...]
    reads: ClassVar[Literal["pooled", "map"]] = "pooled"

    def observe(self, targets: Targets) -> None:
        """Look at what the training patterns should be recognised as, before training begins.

        What is kept of it, such as the mean of a value, belongs into buffers: they are saved.

        Args:
            targets: Of all n training patterns, by name, (n, *shape).
        """

    @abstractmethod
    def forward(self, features: Float[torch.Tensor, "b f *grid"]) -> Float[torch.Tensor, "b o *m"]:
        """Raw outputs of features: (b, o) of pooled ones (b, f), (b, o, *m) of a map."""

    @abstractmethod
    def loss(
        self, outputs: Float[torch.Tensor, "b o *m"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Mean loss of raw outputs over the batch.

        Args:
            outputs: What `forward` gave.
            targets: What was to be said, by name: (b, *shape) of each, int64 for classes.
        """

    @abstractmethod
    def predict(self, outputs: Float[torch.Tensor, "b o *m"]) -> Mapping[str, Estimate]:
        """What raw outputs say of each of `targets`."""


class EmbeddingHead(Head, ABC):
    """A head that places samples on a sphere: those of one kind near each other.

    So a system can recognise what it was not trained on: a library holds the places of candidates,
    and a sample is of that whose place is nearest to its own.

    Attributes:
        embedding_size: Numbers e of a place.
        sharpness: What cosines of angles between places are multiplied by before the softmax that
            makes probabilities of them.
    """

    embedding_size: int
    sharpness: float

    @abstractmethod
    def embed(self, features: Float[torch.Tensor, "b f *grid"]) -> Float[torch.Tensor, "b e"]:
        """Places of features, (b, e), each of length 1."""


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
            outputs: Raw outputs of each branch's head, name → (b, o_i), for late fusion; of those
                heads alone that read pooled features.
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
            where `seen` is `None` and it hides nothing. What comes from outside the detector is not
            seen, or 0 where nothing tells.
        """
