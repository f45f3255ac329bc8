"""Where a command writes to, and what stood there when it began."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from crystalvision.errors import InputError
from crystalvision.storage._errors import disk_errors


@dataclass(frozen=True, slots=True)
class Destination:
    """A path to write to, and what stood there when it was looked at.

    Look before the work begins, and check then whether what is there may be replaced. What appears
    there afterwards is another's work, and is never replaced.

    Attributes:
        path: As the user wrote it.
        target: Where a link leads, or the path itself.
        before: What tells what stood there from all else; "" for nothing, or an empty folder.
    """

    path: Path
    target: Path
    before: str

    @classmethod
    def look(cls, path: Path) -> Self:
        """Look at a path.

        Raises:
            InputError: Something is there that is neither file nor folder, such as a pipe.
            StorageError: The disk refuses.
        """
        with disk_errors(path, "read"):
            target = Path(os.path.realpath(path)) if path.is_symlink() else path
            before = what_stands_at(target)
        if before.startswith(_STRANGE):
            raise InputError(
                f"{path} is neither a file nor a folder, but {before.removeprefix(_STRANGE)}; "
                "expected the name of what is to be written"
            )
        return cls(path, target, before)

    @property
    def taken(self) -> bool:
        """Whether something stood there."""
        return bool(self.before)


_STRANGE = "strange "


def what_stands_at(path: Path) -> str:
    """What tells what stands at a path from all else, also after it was renamed.

    Raises:
        OSError: The disk refuses.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISREG(found.st_mode):
        return f"file {_facts(found)}"
    if not stat.S_ISDIR(found.st_mode):
        kind = next(name for test, name in _KINDS if test(found.st_mode))
        return _STRANGE + kind
    entries = sorted(_entries(path, ""))
    if not entries:
        return ""
    # Its own times change as it is renamed, on some disks; what is in it does not.
    digest = hashlib.sha256("\0".join(entries).encode(errors="surrogateescape")).hexdigest()
    return f"folder {found.st_dev} {found.st_ino} {digest}"


_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISLNK, "a link"),
    (lambda _: True, "a device"),
)


def _entries(folder: Path | str, prefix: str) -> list[str]:
    """Every file below a folder with what changes when it is written, and every folder's name."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{prefix}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                found += [name, *_entries(entry.path, name)]
            else:
                found.append(f"{name} {_facts(entry.stat(follow_symlinks=False))}")
    return found


def _facts(found: os.stat_result) -> str:
    return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}"
