"""Fusion by concatenation."""

from collections.abc import Mapping

import torch
from jaxtyping import Float

from crystalvision.contracts import Fusion
from crystalvision.errors import InputError


class Concat(Fusion):
    """The features of all branches side by side, as the paper fuses its two branches.

    Batch normalisation, which the paper puts after the concatenation, is the first layer of the
    final head `perceptron`.

    Args:
        branch_features: Number of features of each branch, name → f_i.

    Attributes:
        num_features: Sum of the f_i.

    Raises:
        InputError: No branches.

    Source: Alarfaj & Hosni Mahmoud, Crystals 2022, 12, 1324, doi 10.3390/cryst12091324.
    """

    def __init__(self, branch_features: Mapping[str, int]) -> None:
        super().__init__()
        if not branch_features:
            raise InputError("fusion 'concat' needs at least one branch; there is none")
        self.branches = tuple(branch_features)
        self.num_features = sum(branch_features.values())

    def forward(
        self,
        features: Mapping[str, Float[torch.Tensor, "b _"]],
        outputs: Mapping[str, Float[torch.Tensor, "b _"]],
    ) -> Float[torch.Tensor, "b f"]:
        """Features of each branch (b, f_i) → (b, Σ f_i); the heads' outputs are not used."""
        # The order of the description, whatever order the mapping has.
        return torch.cat([features[name] for name in self.branches], dim=1)
