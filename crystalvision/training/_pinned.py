"""Fetches batches ahead, where a GPU copies them quickly from."""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic

import torch

from crystalvision.training._data import BatchSource, InputT

_AHEAD = 2  # batches


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
