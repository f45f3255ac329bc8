"""A GPU that is not there: how code would run on one, found out on any machine.

Under torch's fake tensors nothing is computed on the device, only shapes, types and devices are
followed. So tensors of two devices in one operation raise, and so does whatever would have the
processor wait for the GPU: a copy to the host, `.item()`, a mask as an index.
"""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import torch
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from crystalvision.testing._require import NotMetError

GPU = torch.device("cuda", 7)
"""The device within `fake_gpu`: the last that torch lets be one, so that what code keeps for a
device is hardly ever taken for that of a real one."""

_MEMORY_BYTES = 2**35
_READS = (
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten.equal.default,
)
_OURS = ("torch.", "crystalvision.testing.fake_gpu", "jaxtyping.", "contextlib")


@contextmanager
def fake_gpu(waits: Collection[str] = ()) -> Iterator[Counter[str]]:
    """Within it, `GPU` is a device as any other, on which nothing is computed.

    What is copied to the host is zeros there, and what it asks is so; it goes on with that.

    Args:
        waits: Where the host may wait for the device, `module.function` each.

    Yields:
        How often it did, by `module.function`.

    Raises:
        NotMetError: Within it, for code that would wait elsewhere.
    """
    found: Counter[str] = Counter()
    memory = (_MEMORY_BYTES, _MEMORY_BYTES)
    stubs: Mapping[str, Callable[..., Any]] = {
        "mem_get_info": lambda *_: memory,
        "memory_reserved": lambda *_: 0,
        "memory_allocated": lambda *_: 0,
        "empty_cache": lambda: None,
    }
    with ExitStack() as stack:
        for name, stub in stubs.items():
            stack.enter_context(patch.object(torch.cuda, name, stub))
        # Some of cuDNN's operations have no fake; torch's own have the same shapes.
        stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        stack.enter_context(_fake_tensors())
        stack.enter_context(_Watch(frozenset(waits), found))
        yield found


@cache
def _fake_tensors() -> FakeTensorMode:
    """One for all: what code keeps for the device must fit what comes later."""
    return FakeTensorMode(allow_non_fake_inputs=True)


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch types it not
    """Does for real what is the host's alone, and watches what comes back from the device."""

    def __init__(self, waits: frozenset[str], found: Counter[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # of torch, which has no types there
        self._waits = waits
        self._found = found

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        options = dict(kwargs or {})
        if (
            func.namespace == "aten" and func._can_decompose()
        ):  # as only inference mode leaves them: composed of others
            with self:
                return func.decompose(*args, **options)
        tensors = [each for each in tree_leaves((args, options)) if isinstance(each, torch.Tensor)]
        device = options.get("device")
        target = None if device is None else torch.device(device).type
        if not any(map(_on_device, tensors)) and target != "cuda":
            with unset_fake_temporarily():
                return func(*args, **options)
        if func in _READS:
            self._wait("reads a number of the device")
            return _read(func, tensors[0])
        if _comes_back(func, args, target):
            self._wait("copies from the device")
            return _zeros(args[0], options.get("dtype"))
        try:
            return func(*args, **options)
        except torch._subclasses.fake_tensor.DynamicOutputShapeException as error:
            raise NotMetError(
                f"{_place()} waits for the device: the shape of what {func} gives depends on values"
            ) from error

    def _wait(self, what: str) -> None:
        place = _place()
        if place not in self._waits:
            raise NotMetError(f"{place} {what}: the processor would wait for it")
        self._found[place] += 1


def _on_device(tensor: torch.Tensor) -> bool:
    return tensor.device.type == "cuda"


def _comes_back(func: object, args: Sequence[Any], target: str | None) -> bool:
    """Whether an operation copies from the device to the host."""
    if func is torch.ops.aten.copy_.default:
        return not _on_device(args[0])
    return func is torch.ops.aten._to_copy.default and target == "cpu"


def _read(func: object, tensor: torch.Tensor) -> bool | int | float:
    """What a question is answered with: that it is so, or 0."""
    if func is not _READS[0] or tensor.dtype == torch.bool:
        return True
    return 0.0 if tensor.is_floating_point() else 0


def _zeros(like: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    with unset_fake_temporarily():
        return torch.zeros(tuple(like.shape), dtype=dtype or like.dtype)


def _place() -> str:
    """The innermost function that is not torch's."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module != "torch" and not module.startswith(_OURS):
            return f"{module}.{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "unknown"
