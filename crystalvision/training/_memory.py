"""Fewer patterns at once, where memory is short."""

from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


def in_batches_that_fit(work: Callable[[int], T], batch_size: int = 32) -> T:
    """Do some work with so many patterns at once, or with half as many, until they fit.

    Args:
        work: The work, whose result does not depend on the number; begun anew each time.
        batch_size: Patterns at once, to begin with.

    Raises:
        OutOfMemoryError: Not even one fits into the memory of the GPU.
    """
    while True:
        try:
            return work(batch_size)
        except torch.OutOfMemoryError:
            if batch_size == 1:
                raise
        # Only here, after the exception and all that it held are gone, is the memory free.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        batch_size //= 2
