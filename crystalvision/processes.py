"""Processes that are started, listened to and ended, whatever state they are in.

Light to import: a process that has just begun imports it first.
"""

import ctypes
import importlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from types import FrameType

from crystalvision.errors import TerminatedError

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
_POLL_SECONDS = 1.0


def command_of(module: str) -> list[str]:
    """The command line of a process that runs `main()` of a module, and ends when this one does.

    It ends, too, when the thread that starts it does: that thread must wait for it.

    Args:
        module: Its dotted name.
    """
    code = f"from crystalvision.processes import run_main; run_main({module!r}, {os.getpid()})"
    return [sys.executable, "-P", "-c", code]


def run_main(module: str, parent: int) -> None:
    """Run `main()` of a module as a child of another process, and die with it.

    Args:
        module: Its dotted name.
        parent: The process that started this one.
    """
    _die_with(parent)
    importlib.import_module(module).main()


def _die_with(parent: int) -> None:
    """Have the system kill this process when its parent dies, be it stopped or busy in C."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has died already
        os._exit(1)


def _watch_parent() -> None:
    """End this process soon after its parent, from a thread: for a worker of a pool.

    Such a worker may be started by a thread that ends before it.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            ended.wait(_POLL_SECONDS)
        os._exit(1)

    ended = threading.Event()  # never set: its waits end without a sound at the interpreter's end
    threading.Thread(target=watch, daemon=True, name="watch-parent").start()


@contextmanager
def worker_pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that do what they are handed, until the block ends; at once if it fails.

    Args:
        count: How many.
    """
    # A fork of a process that computes, or uses CUDA, could hang.
    executor = ProcessPoolExecutor(count, get_context("spawn"), initializer=_watch_parent)
    with executor:
        try:
            yield executor
        except BaseException:  # Ctrl-C, too: what a worker does is not waited for
            for process in list((executor._processes or {}).values()):
                process.kill()
            raise


def import_path() -> str:
    """`PYTHONPATH` with which a child can import what this process can, wherever it runs."""
    return os.pathsep.join(str(Path(folder).resolve()) for folder in sys.path if folder)


def end_all(processes: "Iterable[subprocess.Popen[bytes]]", *, patience: float) -> None:
    """Wait until processes have ended, and kill those that have not.

    Args:
        processes: The processes.
        patience: How long to wait, for all of them together [s].
    """
    left = list(processes)
    waiting = threading.Timer(patience, kill_all, [left])
    waiting.daemon = True
    waiting.start()
    try:
        for process in left:
            process.wait()
    except BaseException:  # Ctrl-C, once more
        kill_all(left)
        raise
    finally:
        waiting.cancel()


def kill_all(processes: "Iterable[subprocess.Popen[bytes]]") -> None:
    """Kill processes: the system ends even those that are stopped."""
    for process in processes:
        process.kill()


@contextmanager
def terminable() -> Iterator[None]:
    """Within it, SIGTERM raises an error as Ctrl-C does, unless something else answers it.

    Raises:
        TerminatedError: SIGTERM came.
    """
    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def interruption(number: int, advice: str = "") -> KeyboardInterrupt:
    """The error that SIGINT or SIGTERM is.

    Args:
        number: The signal.
        advice: What to say with it.
    """
    return (
        TerminatedError(f"terminated{advice}") if number == signal.SIGTERM else KeyboardInterrupt()
    )


def _raise(number: int, frame: FrameType | None) -> None:
    del frame
    raise interruption(number)
