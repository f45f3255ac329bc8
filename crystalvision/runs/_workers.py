"""Starts the further processes of a training on this machine, as torchrun would."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.training import Machine, launched

_CODE = "from crystalvision.runs._worker import main; main()"


@contextmanager
def workers(machine: Machine, job: Mapping[str, Any]) -> Iterator[None]:
    """Start all processes but this one, which is the first; they end with this one.

    Nothing is started for one process, or where torchrun has started them.

    Args:
        machine: How many there are.
        job: What each is to do, for `crystalvision.runs._worker`.

    Raises:
        InputError: Several nodes, without torchrun.
        CrystalVisionError: A process failed.
    """
    if machine.processes == 1 or launched():
        yield
        return
    if machine.nodes > 1:
        raise InputError(
            f"--nodes {machine.nodes}: start the command on each node with torchrun: torchrun "
            f"--nnodes {machine.nodes} --nproc-per-node {machine.devices} --rdzv-backend c10d "
            "--rdzv-endpoint HOST:29400 --no-python crystalvision train ..."
        )
    threads = torch.get_num_threads()
    each = max(1, threads // machine.processes)
    port = _free_port()
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        errors = {rank: Path(folder) / str(rank) for rank in range(1, machine.processes)}
        started = {
            rank: _start(rank, machine, port, {**job, "threads": each}, file)
            for rank, file in errors.items()
        }
        os.environ.update(_environment(0, machine, port))
        torch.set_num_threads(each)
        try:
            yield
        except RuntimeError as error:  # what torch raises when a process is gone
            raise _failure(started, errors, error) from error
        finally:
            torch.set_num_threads(threads)
            os.environ.clear()
            os.environ.update(before)
            _end(started)


def _start(
    rank: int, machine: Machine, port: int, job: Mapping[str, Any], errors: Path
) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        **_environment(rank, machine, port),
        "OMP_NUM_THREADS": str(job["threads"]),
        "PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder),
    }
    with errors.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-P", "-c", _CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=file,
            env=environment,
        )
    assert process.stdin is not None  # noqa: S101 - it was asked for, for mypy
    process.stdin.write(json.dumps(job).encode() + b"\n")
    process.stdin.flush()  # and left open: the process ends when its end does
    return process


def _environment(rank: int, machine: Machine, port: int) -> dict[str, str]:
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "NODE_RANK": "0",
        "WORLD_SIZE": str(machine.processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }


def _failure(
    started: Mapping[int, "subprocess.Popen[bytes]"],
    errors: Mapping[int, Path],
    error: RuntimeError,
) -> BaseException:
    for rank, process in started.items():
        try:
            status = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
        if status:
            said = errors[rank].read_text(errors="replace").strip().splitlines()
            return CrystalVisionError(
                f"process {rank} of the training ended with status {status}"
                + (f": {said[-1]}" if said else "; the same command continues")
            )
    return error


def _end(started: Mapping[int, "subprocess.Popen[bytes]"]) -> None:
    for process in started.values():
        assert process.stdin is not None  # noqa: S101
        process.stdin.close()
    for process in started.values():
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
