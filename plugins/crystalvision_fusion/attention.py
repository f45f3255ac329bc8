"""Fusion by attention."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import nn

from crystalvision.contracts import Fusion
from crystalvision.errors import InputError
from crystalvision_fusion._branches import Projections, check_branches


class Attention(Fusion):
    """The branches attend to each other: one layer of self-attention over them, then their mean.

    Every branch is a token of one width with an embedding of its own, which tells the branches
    apart. What attention gives is added to the tokens, and the sum is normalised.

    Args:
        branch_features: Number of features of each branch, name → f_i.
        width: Number of features of a token, and of the result.
        heads: Number of heads, a divisor of the width.

    Attributes:
        num_features: The width.

    Raises:
        InputError: Fewer than two branches, or heads that do not divide the width.

    Source: Vaswani et al. 2017, arXiv:1706.03762.
    """

    def __init__(
        self,
        branch_features: Mapping[str, int],
        width: PositiveInt = 128,
        heads: PositiveInt = 4,
    ) -> None:
        super().__init__()
        check_branches("attention", branch_features, least=2)
        if width % heads:
            raise InputError(f"fusion 'attention': heads={heads} does not divide width={width}")
        self.num_features = width
        self.projections = Projections(branch_features, width)
        self.embedding = nn.Parameter(0.02 * torch.randn(len(branch_features), width))
        # A bias of the keys would change nothing, so there is none.
        self.attention = nn.MultiheadAttention(width, heads, bias=False, batch_first=True)
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        features: Mapping[str, Float[torch.Tensor, "b _"]],
        outputs: Mapping[str, Float[torch.Tensor, "b _"]],
    ) -> Float[torch.Tensor, "b f"]:
        """Features of each branch (b, f_i) → (b, width); the heads' outputs are not used."""
        parts = [project(features[name]) for name, project in self.projections.items()]
        tokens = torch.stack(parts, dim=1) + self.embedding
        attended, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        joined: torch.Tensor = self.norm(tokens + attended).mean(dim=1)
        return joined
