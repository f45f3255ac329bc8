"""Fusion by summation."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from pydantic import PositiveInt

from crystalvision.contracts import Fusion
from crystalvision_fusion._branches import Projections, check_branches


class Sum(Fusion):
    """The sum of all branches, each brought to one width by a linear layer.

    Args:
        branch_features: Number of features of each branch, name → f_i.
        width: Number of features of the result.

    Attributes:
        num_features: The width.

    Raises:
        InputError: No branches.
    """

    def __init__(self, branch_features: Mapping[str, int], width: PositiveInt = 128) -> None:
        super().__init__()
        check_branches("sum", branch_features)
        self.num_features = width
        self.projections = Projections(branch_features, width)

    def forward(
        self,
        features: Mapping[str, Float[torch.Tensor, "b _"]],
        outputs: Mapping[str, Float[torch.Tensor, "b _"]],
    ) -> Float[torch.Tensor, "b f"]:
        """Features of each branch (b, f_i) → (b, width); the heads' outputs are not used."""
        parts = [project(features[name]) for name, project in self.projections.items()]
        return torch.stack(parts).sum(dim=0)
