"""Classes that have an order."""

from collections.abc import Mapping
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import nn
from torch.nn import functional

from crystalvision.contracts import Estimate, Head, Targets
from crystalvision.errors import InputError


class OrdinalHead(Head):
    """Classes in the order of their labels, as those of growing severity are.

    Output j of k - 1 is the log-odds that a label beyond j - 1 is beyond j, too; it learns from the
    images beyond j - 1 alone. The products of these conditional probabilities are the probabilities
    that the label is beyond each j, and never rise with j (CORN).

    Args:
        num_features: Features f of the input.
        num_classes: Classes k of the target, at least two.
        target: Which classes it tells.
        dropout: Share of the features that training leaves out at random, in [0, 1).

    Raises:
        InputError: Fewer than two classes.

    Source: Shi, Cao & Raschka 2023, Pattern Anal. Appl. 26, 941, arXiv:2111.08851.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        target: str = "label",
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__()
        self.targets = (target,)
        if num_classes < 2:
            raise InputError(f"head 'ordinal' orders at least two classes, not {num_classes}")
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(num_features, num_classes - 1)

    def forward(self, features: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b k1"]:
        """Conditional log-odds (b, k - 1) of pooled features (b, f)."""
        odds: torch.Tensor = self.linear(self.dropout(features))
        return odds

    def loss(
        self, outputs: Float[torch.Tensor, "b k1"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Binary cross-entropy of the log-odds (b, k - 1), a mean over all that are asked."""
        steps = torch.arange(outputs.shape[1], device=outputs.device)
        label = targets[self.targets[0]][:, None]
        asked = label >= steps
        beyond = (label > steps).to(outputs.dtype)
        losses = functional.binary_cross_entropy_with_logits(outputs, beyond, reduction="none")
        return (losses * asked).sum() / asked.sum()

    def predict(self, outputs: Float[torch.Tensor, "b k1"]) -> Mapping[str, Estimate]:
        """Probabilities (b, k) from the conditional log-odds (b, k - 1)."""
        beyond = functional.logsigmoid(outputs).cumsum(dim=1).exp()
        ends = torch.ones_like(beyond[:, :1])
        steps = torch.cat([ends, beyond, torch.zeros_like(ends)], dim=1)
        return {self.targets[0]: Estimate.of_classes(steps[:, :-1] - steps[:, 1:])}
