"""Work in a process of its own, so that no engine's libraries disturb another's.

In one process they do: once Dask's threads have used OpenMP, libgomp no longer lets waiting threads
spin, and every torch operation on two threads took twice as long.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Self

import torch

from _simulation.settings import Run
from _simulation.timing import seconds

Work = Callable[..., Any]

_prepared: dict[str, Work] = {}  # in the engine's process: its one work


class Engine:
    """One engine: prepares its work once, then does it or times it whenever it is asked to."""

    def __init__(self, run: Run, prepare: Callable[[], Work]) -> None:
        """Start the process.

        Args:
            run: The run, whose threads and device it uses.
            prepare: Makes the work, there; can be pickled.
        """
        self._device = run.device
        self._pool = ProcessPoolExecutor(
            1, get_context("spawn"), initializer=_prepare, initargs=(run.threads, prepare)
        )

    def seconds(self, *arguments: Any) -> float:
        """How long the work takes [s], not counting the way to the process and back."""
        return self._pool.submit(_time, self._device, arguments).result()

    def result(self, *arguments: Any) -> Any:
        """What the work gives."""
        return self._pool.submit(_do, arguments).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def _prepare(threads: int, prepare: Callable[[], Work]) -> None:
    torch.set_num_threads(threads)
    _prepared["work"] = prepare()


def _time(device: torch.device, arguments: tuple[Any, ...]) -> float:
    return seconds(lambda: _prepared["work"](*arguments), device)


def _do(arguments: tuple[Any, ...]) -> Any:
    return _prepared["work"](*arguments)
