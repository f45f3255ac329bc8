"""Watches over the processes of a training from a thread, while the first may wait in torch.

What waits in a collective operation of torch answers neither Ctrl-C nor SIGTERM, for Python has its
turn only afterwards; and the operation ends only when the other processes do, or in half an hour.
"""

import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from crystalvision.processes import kill_all

_POLL_SECONDS = 0.2
_GRACE = 10.0  # s that this process has to get out of what it was waiting for


class Watch:
    """Kills the other processes when one of them fails, or Ctrl-C or SIGTERM comes.

    That breaks what this process waits for in torch. If it gets out of that neither, it ends.

    Args:
        processes: The other processes.
    """

    def __init__(self, processes: "Sequence[subprocess.Popen[bytes]]") -> None:
        self._processes = processes
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watch-processes")
        self._waking, self._woken = socket.socketpair()
        self._left = threading.Event()
        self._noticed = threading.Event()
        self._old_fd: int | None = None
        self.failed: subprocess.Popen[bytes] | None = None
        self.signalled = 0

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._waking.setblocking(False)
        if threading.current_thread() is threading.main_thread():  # the one that signals interrupt
            self._old_fd = signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Watch no longer."""
        self._left.set()
        if self._old_fd is not None:
            signal.set_wakeup_fd(self._old_fd)
        self._waking.close()  # which wakes the thread
        self._thread.join()
        self._woken.close()

    def await_failure(self, seconds: float) -> "subprocess.Popen[bytes] | None":
        """The process that failed first, as soon as one has; at most so long."""
        self._noticed.wait(seconds)
        return self.failed

    def _watch(self) -> None:
        while not self._left.is_set():
            if self._signal():
                kill_all(self._processes)
                self._insist()
                return
            self._look()

    def _signal(self) -> bool:
        """Whether a signal came that ends the training, within a moment."""
        if select.select([self._woken], [], [], _POLL_SECONDS)[0]:
            for number in self._woken.recv(64):
                if number in {signal.SIGINT, signal.SIGTERM}:
                    self.signalled = number
        return bool(self.signalled)

    def _look(self) -> None:
        """Notice the first process that failed, and end the others: they wait for it."""
        for process in self._processes:
            if self.failed is None and process.poll():
                self.failed = process
                kill_all(self._processes)
                self._noticed.set()

    def _insist(self) -> None:
        """End this process if it does not get out."""
        if not self._left.wait(_GRACE):
            os._exit(128 + self.signalled)
