"""How much of each of several components there is, from one linear layer."""

from collections.abc import Mapping
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import nn
from torch.nn import functional

from crystalvision.contracts import Estimate, Head, Target, Targets
from crystalvision.errors import InputError


class FractionsHead(Head):
    """Shares that sum to one: the softmax of a score for each component.

    Its loss is the cross-entropy with the true shares as probabilities: least where what it says is
    the share that is to be expected. A component that is not there has a true share of 0, so the
    same scores say which are there.

    Args:
        num_features: Features f of the input.
        targets: What there is to be learnt.
        target: Which shares it tells: a vector with named components.
        dropout: Share of the features that training leaves out at random, in [0, 1).

    Raises:
        InputError: The target has no components.
    """

    def __init__(
        self,
        num_features: int,
        targets: Mapping[str, Target],
        target: str = "fractions",
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__()
        self.targets = (target,)
        count = len(targets[target].components)
        if not count:
            raise InputError(
                f"head 'fractions' tells shares of components, but '{target}' has none; use "
                "'regression' for numbers, 'softmax' for classes"
            )
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(num_features, count)

    def forward(self, features: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b k"]:
        """Scores (b, k) of pooled features (b, f)."""
        scores: torch.Tensor = self.linear(self.dropout(features))
        return scores

    def loss(
        self, outputs: Float[torch.Tensor, "b k"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Mean cross-entropy of scores (b, k) with the true shares."""
        return functional.cross_entropy(outputs, targets[self.targets[0]].float())

    def predict(self, outputs: Float[torch.Tensor, "b k"]) -> Mapping[str, Estimate]:
        """Shares (b, k): the softmax of the scores."""
        return {self.targets[0]: Estimate(outputs.softmax(dim=1))}
