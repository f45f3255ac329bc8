"""What heads learn, and what they say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TypeAlias

import torch
from jaxtyping import Float, Shaped

Targets: TypeAlias = Mapping[str, Shaped[torch.Tensor, "b *shape"]]
"""What a batch should be recognised as, by name of the target: (b, *shape), int64 for classes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a head says of one target of a batch.

    Attributes:
        value: What it takes the target to be: (b, *shape), an index for a class.
        probabilities: Of each class, (b, k, *shape), whose sum over k is one; `None` for a value.
        spread: Standard deviation that it expects of its own value, (b, *shape), if it does.
    """

    value: Shaped[torch.Tensor, "b *shape"]
    probabilities: Float[torch.Tensor, "b k *shape"] | None = None
    spread: Float[torch.Tensor, "b *shape"] | None = None

    @classmethod
    def of_classes(cls, probabilities: Float[torch.Tensor, "b k *shape"]) -> Self:
        """The most probable class, with the probabilities of all, (b, k, *shape)."""
        return cls(value=probabilities.argmax(dim=1), probabilities=probabilities)
