"""One writer at a time."""

import errno
import os
import re
from pathlib import Path

from filelock import FileLock, Timeout

from crystalvision.errors import InputError

# 1: FLOCK  ADVISORY  WRITE 9862 fe:00:2155837 0 EOF
_HELD = re.compile(r"\d+: FLOCK +\w+ +WRITE (\d+) ([0-9a-f]+:[0-9a-f]+:\d+) ")


def take_lock(path: Path, refusal: str) -> FileLock:
    """Take a lock at once, or refuse; the system lets go of it when the process dies.

    Args:
        path: The lock's file.
        refusal: What to say where another process holds it; which one is added, if it is told.

    Returns:
        The lock, to be released.

    Raises:
        InputError: Another process holds it.
        OSError: The disk refuses, or its file system has no locks.
    """
    if path.exists() and not path.is_file():  # a pipe's other end would be waited for
        raise InputError(f"{path} is in the way: expected a file that serves as a lock; remove it")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(refusal + _holder(path)) from error
    except NotImplementedError as error:
        raise OSError(errno.ENOLCK, "its file system has no locks", str(path)) from error
    return lock


def _holder(path: Path) -> str:
    """The process that holds a lock, where Linux tells it."""
    try:
        facts = path.stat()
        held = _HELD.findall(Path("/proc/locks").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ""
    place = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    numbers = [number for number, locked in held if locked == place and number != "0"]
    return f" (process {numbers[0]} holds it)" if numbers else ""
