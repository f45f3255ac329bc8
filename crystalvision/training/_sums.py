"""Sums over the batches of an epoch, and over the processes that share them."""

import torch

from crystalvision.training._processes import Group

_KEYS = (
    "train_loss",
    "train_count",
    "loss",
    "count",
    "accuracy",
    "accuracy_count",
    "mae",
    "mae_count",
)


class Sums:
    """Sums by name; tensors, so that a GPU need not wait for each batch."""

    def __init__(self) -> None:
        self._values: dict[str, torch.Tensor] = {}

    def add(self, **values: torch.Tensor) -> None:
        """Add to the sums."""
        for key, value in values.items():
            self._values[key] = self._values[key] + value if key in self._values else value

    def total(self, group: Group) -> dict[str, float]:
        """All sums, over all processes; 0 where nothing was added."""
        numbers = [float(self._values[key]) if key in self._values else 0.0 for key in _KEYS]
        return dict(zip(_KEYS, group.sum(numbers), strict=True))
