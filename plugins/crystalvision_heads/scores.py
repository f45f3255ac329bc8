"""Classes whose scores are there already."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import nn
from torch.nn import functional

from crystalvision.contracts import Estimate, Head, Targets
from crystalvision.errors import InputError


class ScoresHead(Head):
    """The features are the scores of the classes, sharpened or blurred by one learned number.

    The final head for a fusion that gives scores or log-probabilities, such as `late`.

    Args:
        num_features: Features f of the input: one score a class.
        num_classes: Classes k of the target.
        target: Which classes it tells.

    Raises:
        InputError: Not as many features as classes.
    """

    def __init__(self, num_features: int, num_classes: int, target: str = "label") -> None:
        super().__init__()
        self.targets = (target,)
        if num_features != num_classes:
            raise InputError(
                f"head 'scores' reads one score a class, but gets {num_features} features for "
                f"{num_classes} classes: use it after fusion 'late', or choose head 'softmax'"
            )
        self.log_sharpness = nn.Parameter(torch.zeros(()))

    def forward(self, features: Float[torch.Tensor, "b k"]) -> Float[torch.Tensor, "b k"]:
        """Scores (b, k) of scores (b, k)."""
        return features * self.log_sharpness.exp()

    def loss(
        self, outputs: Float[torch.Tensor, "b k"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Mean cross-entropy of scores (b, k)."""
        return functional.cross_entropy(outputs, targets[self.targets[0]])

    def predict(self, outputs: Float[torch.Tensor, "b k"]) -> Mapping[str, Estimate]:
        """Probabilities (b, k): the softmax of the scores."""
        return {self.targets[0]: Estimate.of_classes(outputs.softmax(dim=1))}
