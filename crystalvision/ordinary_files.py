"""What users' paths may be: ordinary files, and neither pipes nor devices, which never end."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crystalvision.errors import InputError

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_ENDLESS = {os.makedev(1, 5), os.makedev(1, 7)}  # /dev/zero and /dev/full
SYSTEM_FILES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"})
"""Files that file managers leave in every folder, in lower case; nobody misses them."""
_LITTER = {*SYSTEM_FILES, "__macosx", "$recycle.bin", "@eadir"}

_watching = False
_hooked = False


def check_ordinary(path: Path) -> None:
    """Refuse what is there but is neither a file nor a folder: opening it could wait for ever.

    Raises:
        InputError: A pipe, a socket or a device.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # whoever opens it says so
    for is_kind, name in _KINDS:
        if is_kind(mode):
            raise InputError(_refusal(os.fspath(path), name))


@contextmanager
def only_ordinary_files() -> Iterator[None]:
    """Let no Python code inside the block open a pipe by its path, or a device without an end.

    Files are opened in a hundred places and by libraries, at paths that users gave or that stand in
    folders that they gave. Python tells its audit hooks of each, and a hook cannot be removed, so
    there is one, which is idle outside of blocks.
    """
    global _hooked, _watching  # noqa: PLW0603 - as the hook, one for the process
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked = True
    before, _watching = _watching, True
    try:
        yield
    finally:
        _watching = before


def is_litter(name: str) -> bool:
    """Whether a file or folder is one that systems and editors leave: no part of anyone's data."""
    return (
        name.startswith((".", "~$"))
        or name.endswith("~")
        or (name.startswith("#") and name.endswith("#"))
        or name.lower() in _LITTER
    )


def text_of(path: Path | str) -> str:
    r"""A path as text that every encoding of Unicode holds: bytes that are no UTF-8 become \xff."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not _watching:
        return
    path = arguments[0]
    if not isinstance(path, str | bytes):
        return  # a file that is open already
    try:
        found = os.stat(path)  # noqa: PTH116 - called for every file that Python opens
    except (OSError, ValueError):
        return
    if stat.S_ISFIFO(found.st_mode):
        raise InputError(_refusal(os.fsdecode(path), "a pipe"))
    if stat.S_ISCHR(found.st_mode) and found.st_rdev in _ENDLESS:
        raise InputError(_refusal(os.fsdecode(path), "a device"))


def _refusal(path: str, name: str) -> str:
    return f"{path}: is {name}; expected an ordinary file: save what it gives to one, and name that"
