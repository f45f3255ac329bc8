"""Classes from one linear layer."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import nn

from crystalvision_heads._loss import ClassHead, ClassLoss, ClassWeights, Gamma, Smoothing


class SoftmaxHead(ClassHead):
    """One linear layer to a score for each class; cross-entropy.

    The paper's penalty on this layer's weights belongs to the optimiser: `head_weight_decay` of a
    phase.

    Args:
        num_features: Features f of the input.
        num_classes: Classes k of the target.
        target: Which classes it tells.
        dropout: Share of the features that training leaves out at random, in [0, 1).
        class_weights: Weight of each class in the loss; by default all alike.
        label_smoothing: Share of the target that is spread over all classes, in [0, 1).
        focal_gamma: Exponent of the focal loss; 0 is plain cross-entropy.

    Source: Alarfaj & Hosni Mahmoud, Crystals 2022, 12, 1324, doi 10.3390/cryst12091324, the
    classifier branch.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        target: str = "label",
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        class_weights: ClassWeights = None,
        label_smoothing: Smoothing = 0.0,
        focal_gamma: Gamma = 0.0,
    ) -> None:
        super().__init__()
        self.targets = (target,)
        self.dropout = nn.Dropout(dropout)
        self.class_loss = ClassLoss(
            "softmax", num_classes, class_weights, label_smoothing, focal_gamma
        )
        self.linear = nn.Linear(num_features, num_classes)

    def forward(self, features: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b k"]:
        """Scores (b, k) of pooled features (b, f)."""
        scores: torch.Tensor = self.linear(self.dropout(features))
        return scores
