"""Severity from one linear output."""

from collections.abc import Mapping
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import nn
from torch.nn import functional

from crystalvision.contracts import Estimate, Head, Targets


class SeverityHead(Head):
    """One linear output, the severity itself; mean squared error.

    Args:
        num_features: Features f of the input.
        dropout: Share of the features that training leaves out at random, in [0, 1).

    Source: Alarfaj & Hosni Mahmoud, Crystals 2022, 12, 1324, doi 10.3390/cryst12091324, the
    regressor branch.
    """

    def __init__(
        self, num_features: int, dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ) -> None:
        super().__init__()
        self.targets = ("severity",)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(num_features, 1)

    def forward(self, features: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b 1"]:
        """Severity (b, 1) of pooled features (b, f)."""
        severity: torch.Tensor = self.linear(self.dropout(features))
        return severity

    def loss(
        self, outputs: Float[torch.Tensor, "b 1"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Mean squared error of the severity (b, 1)."""
        return functional.mse_loss(outputs.squeeze(1), targets["severity"])

    def predict(self, outputs: Float[torch.Tensor, "b 1"]) -> Mapping[str, Estimate]:
        """The severity (b,) as it is: a linear output may leave the range of the targets."""
        return {"severity": Estimate(outputs.squeeze(1))}
