"""Makes shards on a Dask cluster: processes of this machine, or one that runs already.

Dask hands out the shards, and hands one out again when the worker that made it died. What is made
comes back to this process, which alone writes: workers need no disk in common.
"""

import asyncio
import logging
import os
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from crystalvision.available_memory import check_processes
from crystalvision.cores import usable_processors
from crystalvision.datasets import DatasetHeader
from crystalvision.errors import ClusterError, InputError
from crystalvision.sources._shards import shards_of
from crystalvision.sources._spec import SourceSpec, open_once
from crystalvision.threads import worker_environment

if TYPE_CHECKING:  # dask takes a second to import, and most datasets need no cluster
    from distributed import Client

_AHEAD = 2  # shards in hand for each thread of the cluster, so that none waits
_LOST = "the cluster cannot be reached any more; start it again, and go on with --resume"
_DEATHS = 10  # workers that may die of one shard before it counts as what kills them
_CONNECT_SECONDS = 10
_LOCAL = "127.0.0.1"


class Cluster:
    """A Dask cluster; get it from `Cluster.local` or `Cluster.at`."""

    def __init__(self, client: "Client", feeders: int | None = None) -> None:
        self._client = client
        self._feeders = feeders

    @classmethod
    @contextmanager
    def local(cls, workers: int, *, device: str = "cpu") -> Iterator[Self]:
        """Start worker processes on this machine, and stop them when the block ends.

        Args:
            workers: How many. On GPUs, one for each; each worker sees one GPU.
            device: `cpu` or `cuda`.

        Raises:
            InputError: Fewer than one worker, or more than there are GPUs.
        """
        if workers < 1:
            raise InputError(f"{workers} workers were asked for; expected 1 or more")
        check_processes(workers, f"--workers {workers}")
        environments = [worker_environment(1) for _ in range(workers)]
        if device.startswith("cuda"):
            for environment, gpu in zip(environments, _gpus(workers), strict=True):
                environment["CUDA_VISIBLE_DEVICES"] = gpu
        import dask
        from distributed import Client, Nanny, Scheduler, SpecCluster

        settings = {
            "distributed.scheduler.allowed-failures": _DEATHS,
            # A worker that feeds a GPU starts processes of its own.
            "distributed.worker.daemon": False,
        }
        # Nothing that other machines could reach, and no port that another cluster may hold.
        local = {"host": _LOCAL, "dashboard": False, "dashboard_address": f"{_LOCAL}:0"}
        with (
            _quiet(),
            dask.config.set(settings),
            _scratch() as scratch,
            SpecCluster(
                scheduler={
                    "cls": Scheduler,
                    "options": local,
                },
                workers={
                    number: {
                        "cls": Nanny,
                        "options": {
                            **local,
                            "nthreads": 1,
                            "env": environment,
                            "local_directory": scratch,
                            "memory_limit": 0,
                            "silence_logs": logging.CRITICAL,
                        },
                    }
                    for number, environment in enumerate(environments)
                },
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield cls(client, feeders=max(1, usable_processors() // workers))

    @classmethod
    @contextmanager
    def at(cls, address: str) -> Iterator[Self]:
        """Use the cluster whose scheduler listens at an address, such as `tcp://node1:8786`.

        Raises:
            InputError: None does.
        """
        with connected(address) as client:
            yield cls(client)

    @property
    def note(self) -> str:
        """What to tell the user before work is handed out, or "" where there is nothing to say."""
        if self._client.nthreads():
            return ""
        return (  # they may come when there is work, or never
            "no worker has joined the cluster yet; it waits for one: start it with "
            f"`dask worker {self._client.scheduler_info()['address']}`"
        )

    def make_shards(
        self, spec: SourceSpec, header: DatasetHeader, shards: Sequence[int]
    ) -> Generator[tuple[int, dict[str, bytes]], None, None]:
        """Make shards, in whatever order they are done: the number of each, and its files.

        Raises:
            InputError: What the source raises.
            ClusterError: Workers die of a shard, again and again, or the cluster is gone.
        """
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        threads = 1 if spec.device == "cpu" else self._feeders
        work = _Work(replace(spec, threads=threads), header.model_dump_json())
        rest = iter(shards)
        done = as_completed(loop=self._client.loop, with_results=True, raise_errors=False)
        waiting: dict[Any, tuple[int, Any]] = {}
        try:
            while True:
                while len(waiting) < self._ahead() and (shard := next(rest, None)) is not None:
                    future = self._client.submit(work, shard, pure=False)
                    waiting[future.key] = shard, future
                    done.add(future)
                if not waiting:
                    return
                future, result = next(done)
                shard, _ = waiting.pop(future.key)
                if future.cancelled():  # which a client does when it loses its scheduler
                    raise ClusterError(_LOST)
                if future.status != "finished":
                    _, error, trace = result
                    if isinstance(error, KilledWorker):
                        raise ClusterError(
                            f"shard {shard} could not be made: {_DEATHS + 1} workers died of it; "
                            "they may lack memory: start fewer on each machine"
                        ) from error
                    raise error.with_traceback(trace)
                yield shard, result
        except OSError as error:  # so distributed tells that a connection is closed
            raise ClusterError(_LOST) from error
        finally:
            with suppress(OSError):
                self._client.cancel([future for _, future in waiting.values()])

    def _ahead(self) -> int:
        """Shards to hand out at a time; workers come and go."""
        threads: int = sum(self._client.nthreads().values())
        return max(1, _AHEAD * threads)


@contextmanager
def connected(address: str) -> Iterator["Client"]:
    """A client of the Dask cluster whose scheduler listens at an address.

    Raises:
        InputError: None does.
    """
    from distributed import Client

    with _quiet():
        try:
            # A client that was made in vain complains much later.
            asyncio.run(_knock(address))
            client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--scheduler {address}: no Dask scheduler answers there; start one with "
                "`dask scheduler`, and workers with `dask worker ADDRESS`"
            ) from error
        with client:
            yield client


@dataclass(frozen=True, slots=True)
class _Work:
    """What a worker does for one shard."""

    spec: SourceSpec
    header: str

    def __call__(self, shard: int) -> dict[str, bytes]:
        """The files of the shard."""
        _one_torch_thread()
        header = DatasetHeader.model_validate_json(self.header)
        ((_, files),) = shards_of(open_once(self.spec), header, [shard])
        return files


async def _knock(address: str) -> None:
    """Connect to a scheduler and hang up.

    Raises:
        OSError: It does not answer.
        ValueError: That is no address.
    """
    from distributed.comm.core import connect

    connection = await connect(address, timeout=_CONNECT_SECONDS)
    await connection.close()


def _one_torch_thread() -> None:
    """Let torch compute on one thread from now on: what it sums is then the same bit for bit."""
    import torch

    torch.set_num_threads(1)


def _gpus(workers: int) -> list[str]:
    """The names of so many GPUs, as `CUDA_VISIBLE_DEVICES` takes them.

    Raises:
        InputError: There are fewer.
    """
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = named.split(",") if named else [str(n) for n in range(torch.cuda.device_count())]
    if len(found) < workers:
        raise InputError(
            f"{workers} workers on GPUs were asked for, but {len(found)} are here; ask for as many "
            "workers as there are GPUs, or for --device cpu"
        )
    return found[:workers]


@contextmanager
def _scratch() -> Iterator[str]:
    """A folder for what Dask keeps for each process; by default it leaves one behind."""
    import dask

    with (
        tempfile.TemporaryDirectory(prefix="crystalvision-", ignore_cleanup_errors=True) as folder,
        dask.config.set({"temporary-directory": folder}),
    ):
        yield folder


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Dask logs of workers that come and go off the screen."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
