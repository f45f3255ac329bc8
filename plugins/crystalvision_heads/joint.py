"""Classes and a real value from one head: one backbone, two tasks, one loss."""

from collections.abc import Mapping
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import nn
from torch.nn import functional

from crystalvision.contracts import Estimate, Head, Targets
from crystalvision_heads._loss import ClassLoss, ClassWeights, Gamma, Smoothing


class JointHead(Head):
    """Two linear layers, scores and a value, whose losses are weighted as training finds best.

    The weights are learned variances: the cross-entropy is divided by the one, the squared error by
    twice the other, and half the logarithm of each is added, so that neither can grow for nothing.
    The loss may therefore fall below zero.

    Args:
        num_features: Features f of the input.
        num_classes: Classes k of the target.
        target: Which classes it tells.
        value_target: Which real value it tells.
        dropout: Share of the features that training leaves out at random, in [0, 1).
        class_weights: Weight of each class in the cross-entropy; by default all alike.
        label_smoothing: Share of the target that is spread over all classes, in [0, 1).
        focal_gamma: Exponent of the focal loss; 0 is plain cross-entropy.

    Source: Kendall, Gal & Cipolla, CVPR 2018, 7482, arXiv:1705.07115, equations 8 to 10.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        target: str = "label",
        value_target: str = "severity",
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        class_weights: ClassWeights = None,
        label_smoothing: Smoothing = 0.0,
        focal_gamma: Gamma = 0.0,
    ) -> None:
        super().__init__()
        self.targets = (target, value_target)
        self.dropout = nn.Dropout(dropout)
        self.class_loss = ClassLoss(
            "joint", num_classes, class_weights, label_smoothing, focal_gamma
        )
        self.classes = nn.Linear(num_features, num_classes)
        self.value = nn.Linear(num_features, 1)
        self.log_variances = nn.Parameter(torch.zeros(2))  # of classes and of the value

    def forward(self, features: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b o"]:
        """Scores and value (b, k + 1) of pooled features (b, f)."""
        kept = self.dropout(features)
        return torch.cat([self.classes(kept), self.value(kept)], dim=1)

    def loss(
        self, outputs: Float[torch.Tensor, "b o"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Both losses of scores and value (b, k + 1), weighted."""
        target, value_target = self.targets
        classes = self.class_loss(outputs[:, :-1], targets[target])
        value = functional.mse_loss(outputs[:, -1], targets[value_target])
        weights = torch.exp(-self.log_variances)
        loss: torch.Tensor = (
            weights[0] * classes + weights[1] * value / 2 + self.log_variances.sum() / 2
        )
        return loss

    def predict(self, outputs: Float[torch.Tensor, "b o"]) -> Mapping[str, Estimate]:
        """Probabilities (b, k) and value (b,)."""
        target, value_target = self.targets
        return {
            target: Estimate.of_classes(outputs[:, :-1].softmax(dim=1)),
            value_target: Estimate(outputs[:, -1]),
        }
