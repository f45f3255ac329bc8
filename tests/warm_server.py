"""Forks itself for each Python process that `warm_python` asks for.

One server runs for each process of pytest. It has imported other people's heavy libraries, and has
no thread. Everything of ours is imported afresh in each process, by the command's own code;
arguments, environment, folder, streams, signals and exit status are those of a process of its own:
it is one.
"""

import atexit
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import types
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

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
    "typer.rich_utils",
)
"""What commands import, of others; neither pandas nor scikit-learn, which bring pyarrow and its
thread, nor what brings a plugin of pytest, whose assertions could not be rewritten."""

Request = dict[str, Any]


def serve(address: str) -> Request:
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
            if ready in running:
                _tell_the_end(ready, *running.pop(ready))
                continue
            connection, _ = listener.accept()
            size, streams, _, _ = socket.recv_fds(connection, 8, 3)
            data = connection.recv(int.from_bytes(size), socket.MSG_WAITALL)
            # A lock that a thread held would be held for ever in the new process.
            assert len(list(Path("/proc/self/task").iterdir())) == 1, "the server has threads"
            pid = os.fork()
            if pid == 0:
                _let_go([listener, *(each for _, each in running.values())], running)
                _take(streams)
                request = json.loads(data)
                _settle(request)
                with connection:  # only now may it be sent signals, as after `Popen`
                    connection.sendall(os.getpid().to_bytes(8))
                return request
            for stream in streams:
                os.close(stream)
            running[os.pidfd_open(pid)] = pid, connection


def _tell_the_end(descriptor: int, pid: int, connection: socket.socket) -> None:
    os.close(descriptor)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(OSError), connection:  # who asked for it may be gone
        connection.sendall(status.to_bytes(8, signed=True))


def _let_go(sockets: Iterable[socket.socket], descriptors: Iterable[int]) -> None:
    """Close what is the server's, in a process that was forked."""
    for each in sockets:
        each.close()
    for descriptor in descriptors:
        os.close(descriptor)


def _take(streams: list[int]) -> None:
    """Make these the standard streams."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        old = getattr(sys, name)  # whose encoding follows from what the interpreter began with
        encoding = {"encoding": old.encoding, "errors": old.errors}
        new = os.fdopen(old.fileno(), mode, **encoding, closefd=False)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    sys.stderr.reconfigure(line_buffering=True)


def _settle(request: Request) -> None:
    """Take the session, the variables and the folder that are asked for."""
    if request["new_session"]:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])


def become(request: Request) -> None:
    """Do what an interpreter does that is started with these arguments."""
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    how, what, *rest = request["arguments"]
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    # The first was the folder of this file.
    sys.path[:1] = ["" if how == "-c" else str(Path.cwd()), *given]
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
        sys.stderr.write(f"{status}\n")
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
