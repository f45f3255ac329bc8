"""Recomputes activations in the backward pass instead of keeping them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def recomputed(module: nn.Module, *inputs: torch.Tensor) -> torch.Tensor:
    """Run a module, keeping its inputs and recomputing all else for the gradient.

    The result, the gradients and the running statistics are those of a plain call.

    Args:
        module: Takes tensors and gives one.
        *inputs: Its inputs.
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _frozen_statistics(module)

    result: torch.Tensor = checkpoint(module, *inputs, use_reentrant=False, context_fn=contexts)
    return result


@contextmanager
def _frozen_statistics(module: nn.Module) -> Iterator[None]:
    """Keeps running statistics: the second run of a batch must not count it twice."""
    norms = [item for item in module.modules() if isinstance(item, nn.BatchNorm2d)]
    before = [(norm, norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        norm.num_batches_tracked = _copy(norm.num_batches_tracked)
    try:
        yield
    finally:
        for norm, momentum, count in before:
            norm.momentum = momentum
            norm.num_batches_tracked = count


def _copy(count: torch.Tensor | None) -> torch.Tensor | None:
    return None if count is None else count.clone()
