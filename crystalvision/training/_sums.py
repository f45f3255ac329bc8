"""Sums over the batches of an epoch, and over the processes that share them."""

from collections.abc import Iterable

import torch

from crystalvision.training._processes import ProcessGroup


class Sums:
    """Sums by name; tensors, so that a GPU need not wait for each batch.

    Args:
        keys: The names, in an order that all processes share.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = tuple(keys)
        self._values: dict[str, torch.Tensor] = {}

    def add(self, **values: torch.Tensor) -> None:
        """Add to the sums."""
        for key, value in values.items():
            self._values[key] = self._values[key] + value if key in self._values else value

    def total(self, group: ProcessGroup) -> dict[str, float]:
        """All sums, over all processes; 0 where nothing was added."""
        numbers = [float(self._values[key]) if key in self._values else 0.0 for key in self._keys]
        return dict(zip(self._keys, group.sum(numbers), strict=True))
