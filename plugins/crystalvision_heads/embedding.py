"""Classes by the angle to a direction of each: an embedding that a library can be compared with."""

import math
from collections.abc import Mapping
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn
from torch.nn import functional

from crystalvision.contracts import EmbeddingHead, Estimate, Targets
from crystalvision.errors import InputError


class CosineHead(EmbeddingHead):
    """From the whole feature map to a point on a sphere, where each class has a direction.

    The scores are the cosines of the angles between them; cross-entropy of their multiples, where
    the cosine of the right class is first made smaller by a margin, so that patterns of a class lie
    closer to each other than to any other class: classes that were not trained on keep apart too.
    Each place of the map has weights of its own, or, with `pooled`, the map is averaged first.

    Args:
        num_features: Features f of the map.
        num_classes: Classes k of the target.
        map_grid: Shape of the map.
        target: Which classes it tells.
        size: Numbers of a place on the sphere.
        pooled: Whether to read the mean of the map: for images, where it is what is there that
            tells, and not where it is.
        sharpness: What cosines are multiplied by before the softmax.
        margin: What the cosine of the right class is made smaller by in training.
        dropout: Share of the features that training leaves out at random, in [0, 1).

    Source: Wang et al. 2018, CosFace, arXiv:1801.09414; without a margin Wang et al. 2017,
    NormFace, arXiv:1704.06369.
    """

    reads = "map"

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        map_grid: tuple[int, ...],
        target: str = "label",
        size: PositiveInt = 128,
        pooled: bool = False,
        sharpness: PositiveFloat = 24.0,
        margin: Annotated[float, Field(ge=0, lt=1)] = 0.1,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__()
        self.targets = (target,)
        self.map_grid = (1,) * len(map_grid) if pooled else tuple(map_grid)
        self.pooled = pooled
        self.embedding_size = size
        self.sharpness = float(sharpness)
        self.margin = margin
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(num_features * math.prod(self.map_grid), size, bias=False)
        self.norm = nn.BatchNorm1d(size)
        self.directions = nn.Parameter(torch.empty(num_classes, size))
        nn.init.normal_(self.directions)

    def embed(self, features: Float[torch.Tensor, "b f *grid"]) -> Float[torch.Tensor, "b e"]:
        """Places of maps (b, f, *grid) on the sphere, (b, e).

        Raises:
            InputError: A smaller map than it was built for, or training on a batch of one, which
                has no batch statistics.
        """
        if self.training and len(features) < 2:
            raise InputError(
                "head 'embedding' normalises over the batch, so training needs batches of at least "
                "2 images, not 1: raise batch_size"
            )
        places = self.norm(self.linear(self.dropout(self._flat(features))))
        return functional.normalize(places, dim=1)

    def _flat(self, features: Float[torch.Tensor, "b f *grid"]) -> Float[torch.Tensor, "b n"]:
        if self.pooled:
            return features.flatten(2).mean(dim=2)
        grid = tuple(features.shape[2:])
        if len(grid) != len(self.map_grid) or any(
            found < size for found, size in zip(grid, self.map_grid, strict=True)
        ):
            raise InputError(
                f"head 'embedding' was built for maps of {'×'.join(map(str, self.map_grid))} "
                f"points, not {'×'.join(map(str, grid))}: it reads patterns of one size; with the "
                "option pooled it reads any"
            )
        # A stride that does not divide the image may leave one point more at the end.
        for dim, size in enumerate(self.map_grid, 2):
            features = features.narrow(dim, 0, size)
        return features.flatten(1)

    def forward(self, features: Float[torch.Tensor, "b f *grid"]) -> Float[torch.Tensor, "b k"]:
        """Cosines (b, k) of maps (b, f, *grid) with the direction of each class."""
        directions = functional.normalize(self.directions, dim=1)
        cosines: torch.Tensor = self.embed(features) @ directions.T
        return cosines

    def loss(
        self, outputs: Float[torch.Tensor, "b k"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Mean cross-entropy of cosines (b, k), that of the right class less the margin."""
        label = targets[self.targets[0]]
        right = functional.one_hot(label, outputs.shape[1]).to(outputs.dtype)
        return functional.cross_entropy(self.sharpness * (outputs - self.margin * right), label)

    def predict(self, outputs: Float[torch.Tensor, "b k"]) -> Mapping[str, Estimate]:
        """Probabilities (b, k): the softmax of the cosines, sharpened."""
        return {self.targets[0]: Estimate.of_classes((self.sharpness * outputs).softmax(dim=1))}
