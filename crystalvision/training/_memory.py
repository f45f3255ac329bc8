"""Fewer patterns at once, where memory is short: halved batches, and batches in parts."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch

from crystalvision.contracts import Targets
from crystalvision.errors import InputError

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


Backward = Callable[[Any, Targets, float], torch.Tensor]
"""Adds the gradients of some samples' mean loss, times a weight, and returns that mean."""


class MicroBatches:
    """Splits batches, in more parts from the first one on that does not fit into memory.

    The gradients are those of the whole batch, because each part's loss counts for its share of the
    samples; batch statistics are those of the parts.

    Args:
        parts: Parts of a batch at first.
        grow: Whether more parts may be tried. Processes that train together must all do the same.
        note: Told when the parts become more.
    """

    def __init__(self, parts: int, *, grow: bool, note: Callable[[str], None]) -> None:
        self._parts = parts
        self._grow = grow
        self._note = note

    def run(
        self,
        inputs: Any,
        targets: Targets,
        backward: Backward,
        clear: Callable[[], None],
        *,
        least: int | None = None,
    ) -> torch.Tensor:
        """Add up the gradients of a batch, and return its mean loss.

        Args:
            inputs: A tensor, or tensors by name, each with the samples along its first axis.
            targets: What each sample should be recognised as, by name, (b, *shape).
            backward: Computes one part.
            clear: Forgets the gradients so far.
            least: Samples of the process that has the fewest; by default those here. Processes
                that train together must compute as many parts: they wait for each other in each.

        Raises:
            InputError: Not even the smallest parts fit.
        """
        count = batch_size(targets)
        # A part of one sample would have no batch statistics.
        most = (count if least is None else least) // 2
        while True:
            clear()
            parts = max(1, min(self._parts, most))
            loss = self._attempt(inputs, targets, backward, parts)
            if loss is not None:
                return loss
            if parts >= most or not self._grow:
                raise InputError(_hopeless(count, parts, grow=self._grow))
            self._parts = parts * 2
            self._note(
                f"out of memory with {-(-count // parts)} patterns at once: each batch of {count} "
                f"is now computed in {min(self._parts, most)} parts; the gradients are the "
                "same, batch statistics are those of the parts"
            )

    def _attempt(
        self, inputs: Any, targets: Targets, backward: Backward, parts: int
    ) -> torch.Tensor | None:
        count = batch_size(targets)
        total = torch.zeros((), device=next(iter(targets.values())).device)
        try:
            for number in range(parts):
                chosen = slice(number * count // parts, (number + 1) * count // parts)
                some = {name: value[chosen] for name, value in targets.items()}
                weight = (chosen.stop - chosen.start) / count
                total = total + backward(_part(inputs, chosen), some, weight) * weight
        except torch.OutOfMemoryError:
            total = torch.full((), torch.nan)
            failed = True
        else:
            failed = False
        # Only here, after the exception and all that it held are gone, is the memory free.
        if failed and torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None if failed else total


def batch_size(targets: Targets) -> int:
    """Samples of a batch."""
    return len(next(iter(targets.values())))


def _part(inputs: Any, chosen: slice) -> Any:
    if isinstance(inputs, Mapping):
        return {name: _part(item, chosen) for name, item in inputs.items()}
    if isinstance(inputs, tuple | list):
        return tuple(_part(item, chosen) for item in inputs)
    return inputs[chosen]


def _hopeless(count: int, parts: int, *, grow: bool) -> str:
    if grow:
        return (
            f"out of memory with {-(-count // parts)} patterns at once, the fewest there can be: "
            "bin more (input.bin.size), take a smaller backbone, or precision: bf16"
        )
    return (
        f"out of memory with {-(-count // parts)} patterns at once on one of several processes: "
        f"use --accumulate {parts * 2}"
    )
