"""Starts the process of a cell, listens to it, and ends it."""

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any

from crystalvision.benchmarks._job import Job
from crystalvision.benchmarks._outcome import Outcome, killed
from crystalvision.processes import command_of, import_path
from crystalvision.threads import worker_environment

_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
_LOG_BYTES = 20_000
_END_SECONDS = 30


class CellProcess:
    """The process of one cell; it ends when this process does.

    Args:
        job: What it is to do.
        environment: Variables of its own.
    """

    def __init__(self, job: Job, environment: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the outcome is known
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            command_of("crystalvision.benchmarks._run_cell"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **_environment(job.device), **(environment or {})},
        )
        self._lock = threading.Lock()
        _pipe(self._process.stdin).write(job.model_dump_json().encode() + b"\n")
        _pipe(self._process.stdin).flush()  # and left open: it ends when this end does

    def outcome(self, on_message: Callable[[dict[str, Any]], None]) -> Outcome:
        """Listen until it ends.

        Args:
            on_message: Told each message that is not the last.
        """
        received: Outcome | None = None
        for line in _pipe(self._process.stdout):
            try:
                message = json.loads(line)
            except ValueError:  # cut off when it was killed
                break
            if "outcome" in message:
                received = Outcome.model_validate(message["outcome"])
                break
            on_message(message)
        return received or self._unsaid()

    def end(self) -> None:
        """End it at once."""
        self._process.kill()

    def close(self) -> None:
        """Wait for its end, and let go of its pipes."""
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:  # a plugin's thread keeps it
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            _pipe(pipe).close()

    def _unsaid(self) -> Outcome:
        """What became of it, if it did not say so itself."""
        try:
            status = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:  # it has closed its channel, and does not end
            self._process.kill()
            status = self._process.wait()
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - _LOG_BYTES))
        log = self._errors.read().decode(errors="replace")
        if status < 0:
            return killed(-status, log)
        said = log.strip().splitlines()
        last = said[-1] if said else "it said nothing"
        return Outcome(
            status="failed", error=f"the process ended with status {status}: {last}", log=log
        )


def _environment(device: str) -> dict[str, str]:
    found = {"PYTHONPATH": import_path()}
    if device == "cpu":
        found |= worker_environment(1) | dict.fromkeys(_ONE_THREAD, "1")
    return found


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the process was started without this pipe")
    return pipe
