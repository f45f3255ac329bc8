"""Fusion by gates."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import nn

from crystalvision.contracts import Fusion
from crystalvision_fusion._branches import Projections, check_branches


class Gated(Fusion):
    """Each image says itself how much of each branch counts: a gated multimodal unit.

    Every branch is brought to one width, h_i = tanh(W_i f_i). From all of them follow gates
    z = softmax over the branches, one for each feature, and the result is Σ z_i h_i.

    Args:
        branch_features: Number of features of each branch, name → f_i.
        width: Number of features of the result.

    Attributes:
        num_features: The width.

    Raises:
        InputError: Fewer than two branches.

    Source: Arevalo et al. 2017, arXiv:1702.01992, for any number of branches.
    """

    def __init__(self, branch_features: Mapping[str, int], width: PositiveInt = 128) -> None:
        super().__init__()
        check_branches("gated", branch_features, least=2)
        self.num_features = width
        self.projections = Projections(branch_features, width)
        self.gates = nn.Linear(len(branch_features) * width, len(branch_features) * width)

    def forward(
        self,
        features: Mapping[str, Float[torch.Tensor, "b _"]],
        outputs: Mapping[str, Float[torch.Tensor, "b _"]],
    ) -> Float[torch.Tensor, "b f"]:
        """Features of each branch (b, f_i) → (b, width); the heads' outputs are not used."""
        parts = [project(features[name]).tanh() for name, project in self.projections.items()]
        hidden = torch.stack(parts, dim=1)
        gates = self.gates(hidden.flatten(1)).view_as(hidden).softmax(dim=1)
        joined: torch.Tensor = (gates * hidden).sum(dim=1)
        return joined
