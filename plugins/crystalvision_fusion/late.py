"""Fusion of what the branches say, not of their features."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import nn

from crystalvision.contracts import Fusion
from crystalvision_fusion._branches import check_branches


class Late(Fusion):
    """The branches' probabilities, averaged with learned weights; take the final head `scores`.

    A branch with one output for each class gives probabilities, the softmax of its outputs. Any
    other, such as a severity, is first brought to scores of the classes by a learned linear layer.
    The result is log Σ w_i p_i, where the weights w_i are positive and sum to one.

    Args:
        branch_features: Number of features of each branch, name → f_i; only the names count.
        branch_outputs: Number of raw outputs of each branch's head, name → o_i.
        num_classes: Classes k.

    Attributes:
        num_features: k.

    Raises:
        InputError: No branches whose heads read pooled features.
    """

    def __init__(
        self,
        branch_features: Mapping[str, int],
        branch_outputs: Mapping[str, int],
        num_classes: int,
    ) -> None:
        super().__init__()
        check_branches("late", branch_outputs)
        self.num_features = num_classes
        self.branches = tuple(branch_outputs)
        self.scores = nn.ModuleDict(
            {
                name: nn.Linear(count, num_classes)
                for name, count in branch_outputs.items()
                if count != num_classes
            }
        )
        self.weights = nn.Parameter(torch.zeros(len(branch_outputs)))

    def forward(
        self,
        features: Mapping[str, Float[torch.Tensor, "b _"]],
        outputs: Mapping[str, Float[torch.Tensor, "b _"]],
    ) -> Float[torch.Tensor, "b k"]:
        """Raw outputs of each branch (b, o_i) → log-probabilities (b, k); features are not used."""
        branch_scores = [
            self.scores[name](outputs[name]) if name in self.scores else outputs[name]
            for name in self.branches
        ]
        log_probabilities = torch.stack(branch_scores, dim=1).log_softmax(dim=2)
        weights = self.weights.log_softmax(dim=0)
        return torch.logsumexp(log_probabilities + weights[:, None], dim=1)
