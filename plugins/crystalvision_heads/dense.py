"""Classes from dense layers over the whole feature map, which know where a feature lies."""

import math
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import nn

from crystalvision.errors import InputError
from crystalvision_heads._loss import ClassHead, ClassLoss, ClassWeights, Gamma, Smoothing


class DenseHead(ClassHead):
    """The whole map, hidden layers with ReLU, a score for each class; cross-entropy.

    A mean over the map forgets where a feature lies, which is what tells one powder pattern from
    another; here each place has weights of its own.

    Args:
        num_features: Features f of the map.
        num_classes: Classes k of the target.
        map_grid: Shape of the map.
        target: Which classes it tells.
        hidden: Width of each hidden layer; by default those of Wang et al.
        batch_norm: Whether each hidden layer is normalised over the batch, before ReLU.
        dropout: Share of the values after each hidden layer that training leaves out at random,
            in [0, 1).
        class_weights: Weight of each class in the loss; by default all alike.
        label_smoothing: Share of the target that is spread over all classes, in [0, 1).
        focal_gamma: Exponent of the focal loss; 0 is plain cross-entropy.

    Source: Wang et al. 2020, Journal of Chemical Information and Modeling 60, 2004.
    """

    reads = "map"

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        map_grid: tuple[int, ...],
        target: str = "label",
        hidden: tuple[PositiveInt, ...] = (120, 84),
        batch_norm: bool = False,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        class_weights: ClassWeights = None,
        label_smoothing: Smoothing = 0.0,
        focal_gamma: Gamma = 0.0,
    ) -> None:
        super().__init__()
        self.targets = (target,)
        self.map_grid = tuple(map_grid)
        self.batch_norm = batch_norm
        entering = num_features * math.prod(self.map_grid)
        layers: list[nn.Module] = []
        for width in hidden:
            layers.append(nn.Linear(entering, width, bias=not batch_norm))
            if batch_norm:
                layers.append(nn.BatchNorm1d(width))
            layers += [nn.ReLU(inplace=True), nn.Dropout(dropout)]
            entering = width
        self.layers = nn.Sequential(*layers)
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.class_loss = ClassLoss(
            "dense", num_classes, class_weights, label_smoothing, focal_gamma
        )
        self.scores = nn.Linear(entering, num_classes)

    def forward(self, features: Float[torch.Tensor, "b f *grid"]) -> Float[torch.Tensor, "b k"]:
        """Scores (b, k) of a map (b, f, *grid).

        Raises:
            InputError: A smaller map than it was built for, or training on a batch of one, which
                has no batch statistics.
        """
        grid = tuple(features.shape[2:])
        if len(grid) != len(self.map_grid) or any(
            found < size for found, size in zip(grid, self.map_grid, strict=True)
        ):
            raise InputError(
                f"head 'dense' was built for maps of {'×'.join(map(str, self.map_grid))} points, "
                f"not {'×'.join(map(str, grid))}: it reads patterns of one size"
            )
        if self.training and self.batch_norm and len(features) < 2:
            raise InputError(
                "head 'dense' normalises over the batch, so training needs batches of at least 2 "
                "images, not 1: raise batch_size"
            )
        # A stride that does not divide the image may leave one point more at the end.
        for dim, size in enumerate(self.map_grid, 2):
            features = features.narrow(dim, 0, size)
        scores: torch.Tensor = self.scores(self.layers(features.flatten(1)))
        return scores
