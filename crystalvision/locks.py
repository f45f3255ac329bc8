"""One writer at a time."""

from pathlib import Path

from filelock import FileLock, Timeout

from crystalvision.errors import InputError


def take_lock(path: Path, refusal: str) -> FileLock:
    """Take a lock at once, or refuse; the system lets go of it when the process dies.

    Args:
        path: The lock's file.
        refusal: What to say where another process holds it.

    Returns:
        The lock, to be released.

    Raises:
        InputError: Another process holds it.
        OSError: The disk refuses.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(refusal) from error
    return lock
