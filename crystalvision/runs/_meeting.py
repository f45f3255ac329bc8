"""Where the processes of a training find one another: a store that only this machine reaches."""

import os
import socket
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from torch.distributed import TCPStore  # type: ignore[attr-defined] # it is

LOOPBACK = "127.0.0.1"
OURS = "CRYSTALVISION_WORKER"
"""The variable that tells a process which we started from one of torchrun's."""

_TIMEOUT = timedelta(minutes=30)
_POLL_SECONDS = 0.05


def listening_store() -> TCPStore:
    """The store of the first process; torch's own would listen to every network."""
    listening = socket.create_server((LOOPBACK, 0))
    port = int(listening.getsockname()[1])
    return TCPStore(
        LOOPBACK,
        port,
        is_master=True,
        wait_for_workers=False,
        timeout=_TIMEOUT,
        master_listen_fd=listening.detach(),  # which the store closes
    )


def joined_store() -> TCPStore | None:
    """The store for a further process, which tells there that it is ready; not under torchrun."""
    if OURS not in os.environ:
        return None
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = TCPStore(address, port, is_master=False, timeout=_TIMEOUT)
    store.set(_key(int(os.environ["RANK"])), "")
    return store


def await_all(store: TCPStore, ranks: Iterable[int], failed: Callable[[], object]) -> None:
    """Wait until the further processes are ready; what torch waits in, nothing can interrupt.

    Args:
        store: The first process's.
        ranks: Of the others.
        failed: Whether one of them has died.

    Raises:
        RuntimeError: One has, as torch would say it.
    """
    keys = [_key(rank) for rank in ranks]
    while not store.check(keys):
        if failed():
            raise RuntimeError("a process of the training ended before it began")
        time.sleep(_POLL_SECONDS)


def _key(rank: int) -> str:
    return f"crystalvision/ready/{rank}"
