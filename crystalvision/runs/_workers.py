"""Starts the further processes of a training on this machine, as torchrun would."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any

import torch
from torch.distributed import Store  # type: ignore[attr-defined] # it is

from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.processes import command_of, end_all, import_path, interruption, terminable
from crystalvision.runs._meeting import LOOPBACK, OURS, await_all, listening_store
from crystalvision.runs._watch import Watch
from crystalvision.threads import worker_environment
from crystalvision.training import RESUMABLE, Machine, launched

_PATIENCE = 10.0  # s that a process has to end by itself once the training has


@contextmanager
def workers(machine: Machine, job: Mapping[str, Any]) -> Iterator[Store | None]:
    """Start all processes but this one, which is the first; they end with this one.

    Nothing is started for one process, or where torchrun has started them. Ctrl-C and SIGTERM end
    the processes at once, whatever they do, and so what this one may be waiting for.

    Args:
        machine: How many there are.
        job: What each is to do, for `crystalvision.runs._worker`.

    Yields:
        Where the processes find one another, or `None` where others see to that.

    Raises:
        InputError: Several nodes, without torchrun.
        CrystalVisionError: A process failed.
    """
    if machine.processes == 1 or launched():
        yield None
        return
    if machine.nodes > 1:
        raise InputError(
            f"--nodes {machine.nodes}: start the command on each node with torchrun: torchrun "
            f"--nnodes {machine.nodes} --nproc-per-node {machine.devices} --rdzv-backend c10d "
            "--rdzv-endpoint HOST:29400 --no-python crystalvision train ..."
        )
    store = listening_store()
    threads = max(1, torch.get_num_threads() // machine.processes)
    with ExitStack() as stack:
        stack.enter_context(terminable())
        started: dict[int, _Worker] = {}
        stack.callback(_end, started)
        for rank in range(1, machine.processes):
            started[rank] = _Worker(rank, machine, store.port, {**job, "threads": threads})
        stack.enter_context(_first_of(machine, store.port, threads))
        watch = stack.enter_context(Watch([worker.process for worker in started.values()]))
        try:
            await_all(store, started, lambda: watch.failed)
            yield store
        except KeyboardInterrupt:
            raise
        except Exception as error:
            if watch.signalled:
                raise interruption(watch.signalled, RESUMABLE) from error
            if isinstance(error, RuntimeError):  # what torch raises when a process is gone
                raise _failure(started, watch, error) from error
            raise


class _Worker:
    """A further process of a training."""

    def __init__(self, rank: int, machine: Machine, port: int, job: Mapping[str, Any]) -> None:
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `_end`
        environment = {
            **os.environ,
            **_environment(rank, machine, port),
            **worker_environment(job["threads"]),
            "PYTHONPATH": import_path(),
        }
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            command_of("crystalvision.runs._worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            env=environment,
        )
        with suppress(BrokenPipeError):  # it has died, which is noticed elsewhere
            self.stdin.write(json.dumps(job).encode() + b"\n")
            self.stdin.flush()  # and left open: the process ends when its end does

    @property
    def stdin(self) -> IO[bytes]:
        assert self.process.stdin is not None  # noqa: S101 - it was asked for, for mypy
        return self.process.stdin

    def said(self) -> str:
        """The last line that it wrote on its standard error."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


@contextmanager
def _first_of(machine: Machine, port: int, threads: int) -> Iterator[None]:
    """Make this process the first of them for a while."""
    before, threads_before = dict(os.environ), torch.get_num_threads()
    os.environ.update(_environment(0, machine, port))
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads_before)
        os.environ.clear()
        os.environ.update(before)


def _environment(rank: int, machine: Machine, port: int) -> dict[str, str]:
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "NODE_RANK": "0",
        "WORLD_SIZE": str(machine.processes),
        "MASTER_ADDR": LOOPBACK,
        "MASTER_PORT": str(port),
        OURS: "1",
    }


def _failure(
    started: Mapping[int, _Worker], watch: Watch, error: RuntimeError
) -> CrystalVisionError | RuntimeError:
    """What a process says that has failed, or the error if none has."""
    process = watch.await_failure(5.0)
    for rank, worker in started.items():
        if worker.process is process:
            said = worker.said() or "the same command continues"
            return CrystalVisionError(
                f"process {rank} of the training ended with status {process.returncode}: {said}"
            )
    return error


def _end(started: Mapping[int, _Worker]) -> None:
    for worker in started.values():
        with suppress(OSError):
            worker.stdin.close()
    try:
        end_all((worker.process for worker in started.values()), patience=_PATIENCE)
    finally:
        for worker in started.values():
            worker.errors.close()
