"""Real values, in whatever units, from one linear layer."""

import math
from collections.abc import Mapping
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import nn
from torch.nn import functional

from crystalvision.contracts import Estimate, Head, Target, Targets
from crystalvision.errors import InputError


class RegressionHead(Head):
    """A linear output for each number of a target; mean squared error of the standardised values.

    Each number is standardised by its mean and standard deviation over the training patterns, so
    that a thickness of hundreds of ångström is learnt as readily as a share.

    Args:
        num_features: Features f of the input.
        targets: What there is to be learnt.
        target: Which value it tells: a number, or a vector of them.
        dropout: Share of the features that training leaves out at random, in [0, 1).

    Raises:
        InputError: The target has classes, or is a map.
    """

    offset: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self,
        num_features: int,
        targets: Mapping[str, Target],
        target: str = "severity",
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__()
        self.targets = (target,)
        self.shape = targets[target].shape
        if len(self.shape) > 1:
            raise InputError(
                f"head 'regression' tells numbers and vectors, but '{target}' is a map of shape "
                f"{self.shape}; choose a head that reads a map"
            )
        count = math.prod(self.shape)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(num_features, count)
        self.register_buffer("offset", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))

    def observe(self, targets: Targets) -> None:
        """Take mean and standard deviation of the values."""
        values = self._flat(targets).double()
        deviation = values.std(dim=0, correction=0)
        self.offset.copy_(values.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 0, deviation, torch.ones_like(deviation)))

    def forward(self, features: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b o"]:
        """Standardised values (b, o) of pooled features (b, f)."""
        values: torch.Tensor = self.linear(self.dropout(features))
        return values

    def loss(
        self, outputs: Float[torch.Tensor, "b o"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Mean squared error of the standardised values (b, o)."""
        return functional.mse_loss(outputs, (self._flat(targets) - self.offset) / self.scale)

    def predict(self, outputs: Float[torch.Tensor, "b o"]) -> Mapping[str, Estimate]:
        """The values in the units of the target, (b,) or (b, o)."""
        values = outputs * self.scale + self.offset
        return {self.targets[0]: Estimate(values.flatten(1) if self.shape else values[:, 0])}

    def _flat(self, targets: Targets) -> torch.Tensor:
        value = targets[self.targets[0]]
        return value.reshape(len(value), -1)
