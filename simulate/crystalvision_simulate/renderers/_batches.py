"""Batches as large as the device's memory takes."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

_LARGEST = 256  # beyond it a current GPU is busy anyway, and memory is better left to others
_SHARE = 0.5  # of the memory that is free when a batch begins


def in_batches(
    items: Sequence[Item],
    compute: Callable[[Sequence[Item]], Result],
    *,
    device: torch.device,
    bytes_each: int,
) -> Iterator[tuple[Sequence[Item], Result]]:
    """Compute items batch by batch, and yield each batch with its result, in order.

    On a CPU a batch is one item: the cache takes no more. On a GPU it is what fits into half of the
    free memory by the estimate `bytes_each`; where that is wrong and memory runs out, the batch is
    halved and tried again.

    Raises:
        torch.OutOfMemoryError: The device cannot hold one item.
    """
    start = 0
    size = batch_size(device, bytes_each)
    while start < len(items):
        batch = items[start : start + size]
        try:
            result = compute(batch)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
            size = (len(batch) + 1) // 2
            torch.cuda.empty_cache()
            continue
        yield batch, result
        start += len(batch)


def batch_size(device: torch.device, bytes_each: int) -> int:
    """How many items of this size a batch should hold."""
    if device.type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    # What torch keeps for itself but does not use is free as well.
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(1, min(_LARGEST, int(free * _SHARE / bytes_each)))
