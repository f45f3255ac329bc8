"""What trust is built on: what a system says of patterns, and the features it made of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float

from crystalvision.contracts import Estimate
from crystalvision.models import BranchOutput, System


@dataclass(frozen=True, slots=True)
class SystemPrediction:
    """What a system says of a batch, and what it looked at.

    Attributes:
        estimates: Of each target, by name.
        features: Pooled features of all branches side by side, (b, f); `None` for a system
            without branches.
    """

    estimates: Mapping[str, Estimate]
    features: Float[torch.Tensor, "b f"] | None


Predict = Callable[[torch.Tensor], SystemPrediction]
"""From prepared images (b, c, *grid) to what a system says of them."""


def predict_with(system: System) -> Predict:
    """How to ask a system."""

    def predict_batch(images: torch.Tensor) -> SystemPrediction:
        output = system(images)
        features = side_by_side(output.branches) if output.branches else None
        return SystemPrediction(system.predict(output), features)

    return predict_batch


def side_by_side(branches: Mapping[str, BranchOutput]) -> Float[torch.Tensor, "b f"]:
    """Pooled features of all branches, (b, f), in the order of the branches."""
    return torch.cat([branch.features.float() for branch in branches.values()], dim=1)
