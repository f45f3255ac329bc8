"""No fusion: one branch by itself."""

from collections.abc import Mapping

import torch
from jaxtyping import Float

from crystalvision.contracts import Fusion
from crystalvision.errors import InputError


class NoFusion(Fusion):
    """The features of a single branch, unchanged.

    Args:
        branch_features: Number of features of each branch, name → f_i; exactly one.

    Attributes:
        num_features: The branch's number of features.

    Raises:
        InputError: Several branches, or none.
    """

    def __init__(self, branch_features: Mapping[str, int]) -> None:
        super().__init__()
        if len(branch_features) != 1:
            raise InputError(
                f"fusion 'none' takes exactly one branch, not {len(branch_features)} "
                f"({', '.join(branch_features) or 'none'}); to join several choose another fusion, "
                "such as 'concat'"
            )
        ((self.branch, self.num_features),) = branch_features.items()

    def forward(
        self,
        features: Mapping[str, Float[torch.Tensor, "b _"]],
        outputs: Mapping[str, Float[torch.Tensor, "b _"]],
    ) -> Float[torch.Tensor, "b f"]:
        """The branch's features (b, f), unchanged."""
        return features[self.branch]
