"""Batches: what they are, in which order they come, and how they reach a GPU."""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

import torch

from crystalvision.contracts import Targets
from crystalvision.datasets import BatchOrder
from crystalvision.training._processes import Share

_AHEAD = 2  # batches

Inputs = torch.Tensor | dict[str, tuple[torch.Tensor, torch.Tensor]]
"""Images (n, c, *grid), or features (n, f) and outputs (n, o) of each branch by name."""
Batch = tuple[Inputs, dict[str, torch.Tensor]]
InputT = TypeVar("InputT", bound=Inputs)
InputT_co = TypeVar("InputT_co", bound=Inputs, covariant=True)


class BatchSource(Protocol[InputT_co]):
    """Batches of one pass after the other, each of inputs and of targets by name."""

    def __len__(self) -> int:
        """Number of batches of a pass."""

    def __iter__(self) -> Iterator[tuple[InputT_co, dict[str, torch.Tensor]]]:
        """The batches of the next pass."""


def batch_order(
    count: int,
    batch_size: int,
    generator: torch.Generator | None = None,
    share: Share = Share(),  # noqa: B008 - frozen
    *,
    drawn: bool = True,
    first: Callable[[], int] = lambda: 0,
) -> BatchOrder:
    """Which samples each batch of a pass has.

    Args:
        count: Samples of a pass.
        batch_size: Samples of a batch; the last one may be smaller. A last batch of one sample is
            left out of what is learnt from, since it has no batch statistics.
        generator: Given where batches are learnt from: draws the order, anew for each pass.
        share: What this process takes of each batch.
        drawn: Whether it does draw; new samples need no shuffling.
        first: Index of the first sample of the pass that begins.
    """
    learn = generator is not None
    return BatchOrder(
        count,
        batch_size,
        generator if drawn else None,
        take=share.of_training if learn else share.of,
        drop_single=learn,
        first=first,
    )


class Batches(Generic[InputT]):
    """Batches by index from tensors in memory: no worker processes, no copying of single samples.

    Args:
        inputs: What a system reads.
        targets: What the inputs should be recognised as, by name, (n, *shape).
        batch_size: As for `batch_order`, and so for the others.
        generator: Shuffles anew for each pass; without it the order is kept.
        share: What this process takes of each batch.
    """

    def __init__(
        self,
        inputs: InputT,
        targets: Targets,
        batch_size: int,
        generator: torch.Generator | None = None,
        share: Share = Share(),  # noqa: B008 - frozen
    ) -> None:
        self._inputs = inputs
        self._targets = targets
        count = len(next(iter(targets.values())))
        self._order = batch_order(count, batch_size, generator, share)

    def __len__(self) -> int:
        """Number of batches."""
        return len(self._order)

    def __iter__(self) -> Iterator[tuple[InputT, dict[str, torch.Tensor]]]:
        """The batches of one pass."""
        for positions in self._order:
            chosen = torch.tensor(positions, dtype=torch.int64)
            yield (
                _take(self._inputs, chosen),
                {name: value[chosen] for name, value in self._targets.items()},
            )


def _take(inputs: Any, chosen: torch.Tensor) -> Any:
    if isinstance(inputs, Mapping):
        return {name: _take(item, chosen) for name, item in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(_take(item, chosen) for item in inputs)
    return inputs[chosen]


def pinned(source: BatchSource[InputT], device: torch.device) -> BatchSource[InputT]:
    """The same batches; for a GPU in pinned memory, gathered while it computes."""
    if device.type != "cuda" or isinstance(source, torch.utils.data.DataLoader):
        return source  # a loader pins by itself
    return _Ahead(source, _pin)


def _pin(batch: Any) -> Any:
    if isinstance(batch, Mapping):
        return {name: _pin(item) for name, item in batch.items()}
    if isinstance(batch, tuple):
        return tuple(map(_pin, batch))
    return batch.pin_memory()


class _Ahead(Generic[InputT]):
    """Batches that a thread gathers ahead of their use."""

    def __init__(self, source: BatchSource[InputT], ready: Callable[[Any], Any]) -> None:
        self._source = source
        self._ready = ready

    def __len__(self) -> int:
        """Number of batches."""
        return len(self._source)

    def __iter__(self) -> Iterator[tuple[InputT, dict[str, torch.Tensor]]]:
        """The batches of one pass."""
        batches: queue.Queue[Any] = queue.Queue(_AHEAD)
        stopped = threading.Event()

        def put(item: object) -> bool:
            while not stopped.is_set():
                try:
                    batches.put(item, timeout=0.1)
                except queue.Full:
                    continue
                return True
            return False

        def gather() -> None:
            try:
                for batch in self._source:
                    if not put(self._ready(batch)):
                        return
                put(None)
            except BaseException as error:  # raised again where the batches are used
                put(error)

        thread = threading.Thread(target=gather, daemon=True)
        thread.start()
        try:
            while (item := batches.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stopped.set()
            thread.join()
