"""Where cells run: processes of this machine, or those of a Dask cluster."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from queue import SimpleQueue
from typing import Any, Protocol

from crystalvision.benchmarks._job import Job
from crystalvision.benchmarks._outcome import Outcome
from crystalvision.benchmarks._plan import Settings
from crystalvision.benchmarks._process import CellProcess
from crystalvision.sources import connected

OnMessage = Callable[[dict[str, Any]], None]
_POLL_SECONDS = 0.5


class Cells(Protocol):
    """Runs cells, several at a time."""

    @property
    def room(self) -> int:
        """How many run at a time."""

    def submit(self, job: Job, on_message: OnMessage) -> "Future[Outcome]":
        """Run a cell as soon as there is room."""

    def stop(self) -> None:
        """End whatever runs."""


class LocalCells:
    """Cells in processes of this machine; a thread waits for each.

    Args:
        executor: Its threads.
        workers: How many it has.
        gpus: Names of GPUs, dealt out to the cells; none on the CPU.
    """

    def __init__(self, executor: Executor, workers: int, gpus: tuple[str, ...]) -> None:
        self.room = workers
        self._executor = executor
        self._running: set[CellProcess] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._gpus: SimpleQueue[str] = SimpleQueue()
        for number in range(workers if gpus else 0):
            self._gpus.put(gpus[number % len(gpus)])

    def submit(self, job: Job, on_message: OnMessage) -> "Future[Outcome]":
        """See `Cells`."""
        return self._executor.submit(self._run, job, on_message)

    def stop(self) -> None:
        """See `Cells`."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.end()

    def _run(self, job: Job, on_message: OnMessage) -> Outcome:
        gpu = self._gpus.get_nowait() if job.device == "cuda" else None
        try:
            with self._lock:
                if self._stopped:
                    return Outcome(status="not-run", error="stopped")
                process = CellProcess(job, {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu})
                self._running.add(process)
            try:
                return process.outcome(on_message)
            finally:
                process.close()
                with self._lock:
                    self._running.discard(process)
        finally:
            if gpu is not None:
                self._gpus.put(gpu)


class ClusterCells:
    """Cells on the workers of a Dask cluster, which share a disk with this machine.

    Args:
        client: The cluster.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False, retries=0)

    @property
    def room(self) -> int:
        """One cell for each thread of the workers, which come and go."""
        threads: int = sum(self._client.nthreads().values())
        return max(1, threads)

    def submit(self, job: Job, on_message: OnMessage) -> "Future[Outcome]":
        """See `Cells`; nothing is told on the way."""
        del on_message
        future: Future[Outcome] = self._executor.submit(run_while_wanted, job)
        return future

    def stop(self) -> None:
        """See `Cells`."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def run_while_wanted(job: Job) -> Outcome:
    """Do a job on a worker of a cluster, as long as its scheduler wants the result."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    process = CellProcess(job)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_POLL_SECONDS):
            task = worker.state.tasks.get(key)
            if task is None or task.state != "executing":
                process.end()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        return process.outcome(lambda message: None)
    finally:
        ended.set()
        process.close()


def chosen_cells(settings: Settings) -> AbstractContextManager[Cells]:
    """Where the settings say that cells run."""
    if settings.scheduler is not None:
        return cluster_cells(settings.scheduler)
    return local_cells(settings.workers, settings.device)


@contextmanager
def local_cells(workers: int, device: str) -> Iterator[LocalCells]:
    """Run cells on this machine until the block ends; what still runs then is ended."""
    executor = ThreadPoolExecutor(workers, thread_name_prefix="cell")
    cells = LocalCells(executor, workers, _gpus() if device == "cuda" else ())
    try:
        yield cells
    finally:
        cells.stop()
        executor.shutdown(cancel_futures=True)


@contextmanager
def cluster_cells(address: str) -> Iterator[ClusterCells]:
    """Run cells on the cluster whose scheduler listens at an address, until the block ends.

    Raises:
        InputError: None does.
    """
    with connected(address) as client:
        cells = ClusterCells(client)
        try:
            yield cells
        finally:
            with contextlib.suppress(Exception):  # a cluster that is gone runs nothing
                cells.stop()


def _gpus() -> tuple[str, ...]:
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named:
        return tuple(named.split(","))
    return tuple(str(number) for number in range(torch.cuda.device_count()))
