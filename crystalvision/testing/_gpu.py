"""Whether a network would run on a GPU as it does on a CPU."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map_only

from crystalvision.testing._require import require
from crystalvision.testing.fake_gpu import GPU, fake_gpu

Network = TypeVar("Network", bound=nn.Module)


def check_gpu(network: Network, work: Callable[[Network, Any], Any], inputs: Any) -> None:
    """On a GPU some work gives results there, shaped as on a CPU, without waiting for any.

    Args:
        network: In training or evaluation mode; of no use afterwards.
        work: What is done with it and its inputs, nothing drawn at random but by torch.
        inputs: Tensors in any nesting, on the CPU.

    Raises:
        NotMetError: It would wait for the GPU, leave results on the CPU, or shape them otherwise.
    """
    with torch.no_grad():
        expected = tree_leaves(work(network, inputs))
        with fake_gpu():
            given = tree_map_only(torch.Tensor, lambda each: each.to(GPU), inputs)
            found = tree_leaves(work(_moved(network), given))
    for ours, theirs in zip(expected, found, strict=True):
        if isinstance(ours, torch.Tensor):
            require(theirs.device == GPU, f"a result of shape {tuple(ours.shape)} is on the CPU")
            require(
                (theirs.shape, theirs.dtype) == (ours.shape, ours.dtype),
                f"on a GPU a result is {theirs.dtype} {tuple(theirs.shape)}, on a CPU "
                f"{ours.dtype} {tuple(ours.shape)}",
            )


def _moved(network: Network) -> Network:
    """It on the GPU, with weights of no values: to move the real ones takes three times as long."""

    def place(each: torch.Tensor) -> torch.Tensor:
        return torch.empty_strided(each.shape, each.stride(), dtype=each.dtype, device=GPU)

    # As `to` does, which takes no other function.
    moved: Network = network._apply(place)  # type: ignore[no-untyped-call] # torch gives it none
    return moved
