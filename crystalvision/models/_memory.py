"""How much memory tensors take at the worst moment of some work."""

import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class PeakMemory:
    """The most bytes that were held.

    Attributes:
        bytes: All of them, once the work is done.
    """

    bytes: int = 0


@contextmanager
def peak_memory(device: torch.device, held: Iterable[torch.Tensor]) -> Iterator[PeakMemory]:
    """Measure the peak memory of what is done inside.

    On a CUDA device it is `torch.cuda.max_memory_allocated`. Elsewhere it is the storage of all
    tensors that operations made and that something still held, and of those given: what a kernel
    needs for itself while it runs is not seen, nor are the interpreter and torch's own code.

    Args:
        device: Where the work is done.
        held: Tensors that are there before it, such as weights.

    Yields:
        Filled in at the end.
    """
    found = PeakMemory()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        yield found
        torch.cuda.synchronize(device)
        found.bytes = torch.cuda.max_memory_allocated(device)
        return
    live = _LiveTensors(held)
    with live:
        yield found
    found.bytes = live.peak


class _LiveTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch types it not
    """Follows every storage from the operation that makes it until nothing holds it any more."""

    def __init__(self, held: Iterable[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch types it not
        self._bytes = 0
        self._known: set[int] = set()
        self.peak = 0
        for tensor in held:
            self._note(tensor.untyped_storage())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for item in tree_leaves(result):
            if isinstance(item, torch.Tensor):
                self._note(item.untyped_storage())
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata  # a view has its base's storage
        if key in self._known:
            return
        size = storage.nbytes()
        self._known.add(key)
        self._bytes += size
        self.peak = max(self.peak, self._bytes)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self._bytes -= size
