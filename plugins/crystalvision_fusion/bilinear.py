"""Fusion by products of features."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import nn

from crystalvision.contracts import Fusion
from crystalvision_fusion._branches import Projections, check_branches


class Bilinear(Fusion):
    """Products of the branches' features, of low rank: what both say together counts.

    Every branch is brought to one rank, and the branches are multiplied feature by feature,
    P (tanh(W_1 f_1) ∘ tanh(W_2 f_2) ∘ …): the low-rank form of f_1ᵀ A f_2.

    Args:
        branch_features: Number of features of each branch, name → f_i.
        rank: Number of products.
        width: Number of features of the result.

    Attributes:
        num_features: The width.

    Raises:
        InputError: Fewer than two branches.

    Source: Kim et al. 2017, arXiv:1610.04325.
    """

    def __init__(
        self,
        branch_features: Mapping[str, int],
        rank: PositiveInt = 128,
        width: PositiveInt = 128,
    ) -> None:
        super().__init__()
        check_branches("bilinear", branch_features, least=2)
        self.num_features = width
        self.projections = Projections(branch_features, rank)
        self.out = nn.Linear(rank, width)

    def forward(
        self,
        features: Mapping[str, Float[torch.Tensor, "b _"]],
        outputs: Mapping[str, Float[torch.Tensor, "b _"]],
    ) -> Float[torch.Tensor, "b f"]:
        """Features of each branch (b, f_i) → (b, width); the heads' outputs are not used."""
        parts = [project(features[name]).tanh() for name, project in self.projections.items()]
        joined: torch.Tensor = self.out(torch.stack(parts).prod(dim=0))
        return joined
