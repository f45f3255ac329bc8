"""Classes from a perceptron with one hidden layer: the paper's final classifier."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import nn
from torch.nn import functional

from crystalvision.errors import InputError
from crystalvision_heads._loss import ClassHead, ClassLoss, ClassWeights, Gamma, Smoothing


class Perceptron(ClassHead):
    """Batch normalisation, a hidden layer with ReLU, a score for each class; cross-entropy.

    The paper normalises the concatenated features and gives them to a perceptron; the width of the
    hidden layer is not stated. Its "two softmax layers" are read as one after the last layer.

    Args:
        num_features: Features f of the input.
        num_classes: Classes k of the target.
        target: Which classes it tells.
        hidden: Width of the hidden layer.
        dropout: Share of the hidden values that training leaves out at random, in [0, 1).
        class_weights: Weight of each class in the loss; by default all alike.
        label_smoothing: Share of the target that is spread over all classes, in [0, 1).
        focal_gamma: Exponent of the focal loss; 0 is plain cross-entropy.

    Source: Alarfaj & Hosni Mahmoud, Crystals 2022, 12, 1324, doi 10.3390/cryst12091324, the fusion
    of the two branches.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        target: str = "label",
        hidden: PositiveInt = 128,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        class_weights: ClassWeights = None,
        label_smoothing: Smoothing = 0.0,
        focal_gamma: Gamma = 0.0,
    ) -> None:
        super().__init__()
        self.targets = (target,)
        self.norm = nn.BatchNorm1d(num_features)
        self.hidden = nn.Linear(num_features, hidden)
        self.dropout = nn.Dropout(dropout)
        self.class_loss = ClassLoss(
            "perceptron", num_classes, class_weights, label_smoothing, focal_gamma
        )
        self.scores = nn.Linear(hidden, num_classes)
        nn.init.kaiming_normal_(self.hidden.weight, nonlinearity="relu")
        nn.init.zeros_(self.hidden.bias)

    def forward(self, features: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b k"]:
        """Scores (b, k) of pooled features (b, f).

        Raises:
            InputError: Training on a batch of one, which has no batch statistics.
        """
        if self.training and len(features) < 2:
            raise InputError(
                "head 'perceptron' normalises over the batch, so training needs batches of at "
                f"least 2 images, not {len(features)}: raise batch_size"
            )
        hidden = functional.relu(self.hidden(self.norm(features)))
        scores: torch.Tensor = self.scores(self.dropout(hidden))
        return scores
