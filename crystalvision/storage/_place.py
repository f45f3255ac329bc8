"""Gives a finished file or folder its name in one step, if that name is still free.

What may be replaced is what stood there when the command began. Linux exchanges two names in one
step (renameat2, RENAME_EXCHANGE); elsewhere what is there is looked at just before.
"""

import ctypes
import errno
import os
import secrets
import shutil
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from crystalvision.errors import StorageError
from crystalvision.storage._destination import Destination, what_stands_at

_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


class TakenError(StorageError):
    """Something else appeared where the result was to go; it was left as it is."""


def place(new: Path, destination: Destination) -> None:
    """Rename what is finished to where it belongs.

    Args:
        new: A file or folder beside the destination; on success it has gone.
        destination: Where it goes; what stood there when that was looked at is replaced.

    Raises:
        TakenError: What is there now is not what was there; all is left as it is.
        OSError: The disk refuses.
    """
    target = destination.target
    if destination.taken and os.path.lexists(target):
        _replace(new, destination)
    elif not rename_to_free(new, target):
        raise TakenError(_taken(destination))


def rename_to_free(new: Path, target: Path) -> bool:
    """Rename to a name where nothing is, or an empty folder; whether it was free.

    Raises:
        OSError: The disk refuses.
    """
    try:
        if new.is_dir():
            new.rename(target)  # onto anything but an empty folder it fails
        else:
            _rename_file(new, target)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        return False
    return True


def _rename_file(new: Path, target: Path) -> None:
    """Rename a file; unlike `Path.rename` it fails where something is."""
    try:
        os.link(new, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A disk without links: the empty file takes the name, for it is made only if it is new.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        new.replace(target)
    else:
        new.unlink()


def _replace(new: Path, destination: Destination) -> None:
    target, before = destination.target, destination.before
    if _exchange(new, target):
        if what_stands_at(new) != before:
            _exchange(new, target)
            raise TakenError(_taken(destination))
        remove(new)
        return
    if what_stands_at(target) != before:
        raise TakenError(_taken(destination))
    if not target.is_dir() and not new.is_dir():
        new.replace(target)
        return
    # Set the old one aside, so that it is never half gone.
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    target.rename(old)
    if not rename_to_free(new, target):
        raise TakenError(f"{_taken(destination)}; what was there before is at {old}")
    remove(old)


def remove(path: Path) -> None:
    """Remove a file or a folder, as far as that can be."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step; whether this system and disk can."""
    call = _renameat2()
    if call is None:
        return False
    names = (os.fsencode(first), os.fsencode(second))
    return bool(call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)


@cache
def _renameat2() -> Any:
    if sys.platform != "linux":
        return None
    try:
        return ctypes.CDLL(None).renameat2
    except (AttributeError, OSError):  # another C library than glibc from 2.28 on, or musl
        return None


def _taken(destination: Destination) -> str:
    happened = "was changed" if destination.taken else "appeared"
    return (
        f"{destination.path}: what is there {happened} after this command had begun, so it is left "
        "as it is"
    )
