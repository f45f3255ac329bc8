"""Starts Python processes that need not import torch and Lightning again, which takes seconds.

`warm_server.py` says how. A test of what is imported, of variables that are read as the interpreter
starts or libraries are loaded, and of the installed program itself, starts a fresh interpreter
instead.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, Self

READ_EARLY = ("LANG", "LC_", "OMP_", "MKL_", "OPENBLAS_", "GOMP_", "KMP_", "PYTHON")
"""Beginnings of variables that the interpreter and libraries read as they are loaded."""

READ_HERE = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
"""Those of them that are heeded all the same."""


class Server:
    """Starts Python processes from one that has imported the heavy libraries.

    Args:
        folder: For the socket where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / "s")
        self._environment = {
            name: value for name, value in os.environ.items() if name not in READ_HERE
        }
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("warm_server.py"), self._address],
            env=self._environment,
            stdin=subprocess.PIPE,  # its end is the server's
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def close(self) -> None:
        """End it; the processes that it has started live on."""
        self._process.communicate()

    def start(
        self,
        arguments: list[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        new_session: bool = False,
    ) -> "Process":
        """Start a process, as `subprocess.Popen([sys.executable, *arguments], ...)` does in text.

        Args:
            arguments: `-c CODE ...` or `-m MODULE ...`.
            env: Its variables, by default those of this process.
            cwd: Its folder, by default that of this process.
            stdin: `PIPE`, `DEVNULL`, or by default that of this process.
            stdout: As `stdin`.
            stderr: As `stdin`.
            new_session: Whether it leaves the process group of the tests.

        Raises:
            ValueError: A variable that is read early is another than here.
        """
        variables = dict(os.environ if env is None else env)
        for name in {**self._environment, **variables}:
            early = name.startswith(READ_EARLY) and name not in READ_HERE
            if early and variables.get(name) != self._environment.get(name):
                raise ValueError(f"{name} is read too early: start a fresh interpreter")
        request = {
            "arguments": arguments,
            "environment": variables,
            "folder": str(cwd or Path.cwd()),
            "new_session": new_session,
        }
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        with ExitStack() as theirs:
            ends = [_ends(which, fd, theirs) for fd, which in enumerate((stdin, stdout, stderr))]
            # The request first, and then what its length cannot split.
            data = json.dumps(request).encode()
            socket.send_fds(connection, [len(data).to_bytes(8)], [end for end, _ in ends])
            connection.sendall(data)
        return Process(connection, arguments, [ours for _, ours in ends])


def _ends(which: int | None, fd: int, theirs: ExitStack) -> tuple[int, IO[str] | None]:
    """The end of a stream that the process gets, and the one that stays here, if any does."""
    if which is None:
        return fd, None
    if which == subprocess.DEVNULL:
        null = os.open(os.devnull, os.O_RDWR)
        theirs.callback(os.close, null)
        return null, None
    read, write = os.pipe()
    end, rest, mode = (read, write, "w") if fd == 0 else (write, read, "r")
    theirs.callback(os.close, end)
    return end, os.fdopen(rest, mode, encoding="utf-8")


class Process:
    """A process of the server's, to be used as `subprocess.Popen`."""

    def __init__(
        self, connection: socket.socket, arguments: list[str], streams: list[IO[str] | None]
    ) -> None:
        self._connection = connection
        self.args = arguments
        self.stdin, self.stdout, self.stderr = streams
        self.returncode: int | None = None
        self.pid = int.from_bytes(self._receive())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._close()
        self.wait()

    def poll(self) -> int | None:
        """Its status, if it has ended."""
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its status, once it has ended.

        Raises:
            TimeoutExpired: It has not, by then.
        """
        if self._status(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it writes, until it has ended."""
        said = {1: "", 2: ""}

        def read(number: int, stream: IO[str]) -> None:
            said[number] = stream.read()

        if self.stdin is not None:
            self.stdin.close()
        readers = [
            threading.Thread(target=read, args=(number, stream), daemon=True)
            for number, stream in ((1, self.stdout), (2, self.stderr))
            if stream is not None and not stream.closed
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        self._close()
        return said[1], said[2]

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            self.returncode = int.from_bytes(self._receive(), signed=True)
            self._connection.close()
        return self.returncode

    def _receive(self) -> bytes:
        received = self._connection.recv(8, socket.MSG_WAITALL)
        assert len(received) == 8, "the server of processes has ended"
        return received

    def _close(self) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def run(process: Process, *, timeout: float | None = None) -> "subprocess.CompletedProcess[str]":
    """Wait for the end of a process, and for what it writes.

    Raises:
        TimeoutExpired: It lasts longer than `timeout` [s]; it is killed.
    """
    try:
        out, err = process.communicate(timeout)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.wait(), out, err)


def start_fresh(
    arguments: list[str], *, new_session: bool = False, **options: Any
) -> "subprocess.Popen[str]":
    """Start a process as `Server.start` does, by a fresh interpreter."""
    line = [sys.executable, *arguments]
    return subprocess.Popen(line, text=True, start_new_session=new_session, **options)
