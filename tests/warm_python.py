"""Python processes that need not import torch and Lightning again, which takes seconds of each.

A server, one for each process of pytest, has imported other people's heavy libraries, has no thread,
and forks itself for each process that is asked for. Everything of ours is imported afresh there, by
the command's own code. Arguments, environment, folder, streams, signals, exit status and the end of
the interpreter are those of a process of its own; it is one.

A test of what is imported, of variables that are read at the interpreter's start or by libraries as
they are loaded, and of the installed program itself, starts a fresh interpreter instead.
"""

import atexit
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, Self

LIBRARIES = (
    "torch",
    "torch.export",
    "torchmetrics.functional.classification",
    "lightning.pytorch",
    "matplotlib.pyplot",
    "scipy.ndimage",
    "scipy.optimize",
    "ase",
    "spglib",
    "zarr",
    "typer.rich_utils",
)
"""What commands import, of others; not pandas and scikit-learn: pyarrow has a thread."""

READ_EARLY = ("LANG", "LC_", "OMP_", "MKL_", "OPENBLAS_", "GOMP_", "KMP_", "PYTHON")
"""Beginnings of variables that the interpreter and libraries read as they are loaded."""

READ_HERE = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
"""Those of them that are heeded all the same."""


class Server:
    """Starts Python processes from one that has imported `LIBRARIES`.

    Args:
        folder: For the socket where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / "s")
        self._environment = {
            name: value for name, value in os.environ.items() if name not in READ_HERE
        }
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._address],
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
    return end, open(rest, mode, encoding="utf-8")  # noqa: SIM115 - closed by `Process`


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
        self.wait()
        self._close()

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


def serve(address: str) -> dict[str, Any]:
    """Fork a process for each request; returns in each of those, with what it is to do."""
    for name in LIBRARIES:
        importlib.import_module(name)
    # Files need not outlive the machine, as in the process of the tests.
    os.fsync = lambda _descriptor: None
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the tests, and not before
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    os.write(1, b"ready\n")
    running: dict[int, tuple[int, socket.socket]] = {}  # by the descriptor that tells of its end
    while True:
        for ready in select.select([0, listener, *running], [], [])[0]:
            if ready == 0:
                os._exit(0)
            if ready is listener:
                connection, _ = listener.accept()
                size, streams, _, _ = socket.recv_fds(connection, 8, 3)
                data = connection.recv(int.from_bytes(size), socket.MSG_WAITALL)
                # A lock that a thread held would be held for ever in the new process.
                assert len(os.listdir("/proc/self/task")) == 1, "the server has threads"
                pid = os.fork()
                if pid == 0:
                    for each in (listener, connection, *(other for _, other in running.values())):
                        each.close()
                    for descriptor in running:
                        os.close(descriptor)
                    for number, stream in enumerate(streams):
                        os.dup2(stream, number)
                        os.close(stream)
                    return json.loads(data)
                for stream in streams:
                    os.close(stream)
                connection.sendall(pid.to_bytes(8))
                running[os.pidfd_open(pid)] = pid, connection
            else:
                pid, connection = running.pop(ready)
                os.close(ready)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with suppress(OSError), connection:  # who asked for it may be gone
                    connection.sendall(status.to_bytes(8, signed=True))


def become(request: dict[str, Any]) -> None:
    """Do what an interpreter does that is started with these arguments."""
    if request["new_session"]:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    for name, mode, errors in (("in", "r", ""), ("out", "w", ""), ("err", "w", "backslashreplace")):
        old = getattr(sys, f"std{name}")
        new = open(  # noqa: SIM115 - as long as the process lives
            old.fileno(), mode, encoding="utf-8", errors=errors or None, closefd=False
        )
        setattr(sys, f"std{name}", new)
        setattr(sys, f"__std{name}__", new)
    sys.stderr.reconfigure(line_buffering=True)
    how, what, *rest = request["arguments"]
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:1] = ["" if how == "-c" else os.getcwd(), *given]  # the first was this file's folder
    if how == "-m":
        sys.argv = [what, *rest]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    assert how == "-c", how
    sys.argv = ["-c", *rest]
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    exec(compile(what, "<string>", "exec"), module.__dict__)


def end(status: object) -> None:
    """End this process as an interpreter does, but for what it frees: that takes two seconds.

    A child that multiprocessing has forked ends in the same way.
    """
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    if isinstance(status, str):
        print(status, file=sys.stderr)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        os._exit(120)
    os._exit(status if isinstance(status, int) else bool(status))


def main() -> None:
    """Serve, and in each process that is forked do what was asked for."""
    request = serve(sys.argv[1])
    try:
        become(request)
    except SystemExit as stop:
        end(stop.code)
    end(0)


if __name__ == "__main__":
    main()
