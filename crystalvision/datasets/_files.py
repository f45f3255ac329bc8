"""Files on the disk: written whole or not at all, and the disk's refusals said plainly."""

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crystalvision.errors import StorageError

PARTIAL_SUFFIX = ".partial"
LOCK_NAME = ".crystalvision.lock"

_ADVICE = {
    errno.ENOSPC: "free some space, then run the same command again",
    errno.EDQUOT: "free some of your quota, then run the same command again",
    errno.EFBIG: "raise the limit on the size of files, then run again",
    errno.EACCES: "choose a folder that you may write to, or change its permissions",
    errno.EPERM: "choose a folder that you may write to, or change its permissions",
    errno.EROFS: "choose a folder on a disk that is not read-only",
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk_errors(path: Path, action: str, *, resumable: bool = True) -> Iterator[None]:
    """Turn an `OSError` inside the block into a `StorageError` with the path and what to do."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "check the disk and its permissions")
        if resumable and error.errno in _FULL:
            advice += " with --resume"
        # The text of HDF5 has several lines and addresses in memory.
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        raise StorageError(f"{path}: cannot be {action}: {reason}; {advice}") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that it is whole or absent, also after a kill or a loss of power.

    Raises:
        StorageError: The disk refused; nothing is left behind.
    """
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    with disk_errors(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


def holds(path: Path, content: bytes) -> bool:
    """Whether a file is there, no link, and holds just this: writing it anew would change nothing.

    Writing waits for the disk, which for many small files takes longer than all else.
    """
    try:
        return not path.is_symlink() and path.read_bytes() == content
    except OSError:
        return False


def is_filled(path: Path | str) -> bool:
    """Whether a file is there and holds something.

    Raises:
        StorageError: The disk refuses to tell.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - of a text, three times as quick for thousands of files
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return False
        with disk_errors(Path(path), "read"):
            raise
    return stat.S_ISREG(found.st_mode) and found.st_size > 0


def in_the_way(folder: Path, files: Iterable[str]) -> Path | None:
    """What stands where one of the files belongs: a folder, or a file instead of its folder."""
    known: set[Path] = set()
    for file in files:
        if (folder / file).is_dir():
            return folder / file
        for parent in (folder / file).parents:
            if parent == folder or parent in known:
                break
            known.add(parent)
            if parent.is_symlink() and not parent.exists():
                return parent
            if parent.exists() and not parent.is_dir():
                return parent
    return None


def remove_partial_files(folder: Path) -> None:
    """Remove what a killed writer left half-written. Only for the holder of the lock."""
    with disk_errors(folder, "cleaned"):
        for partial in folder.rglob(f"*{PARTIAL_SUFFIX}"):
            partial.unlink()


def remove_arrays(folder: Path) -> None:
    """Remove every array of a dataset; the group's own document and foreign files stay."""
    with disk_errors(folder, "overwritten"):
        for child in folder.iterdir():
            if child.is_symlink() or not child.is_dir():
                continue
            if (child / "zarr.json").exists() or (child / "c").is_dir() or not any(child.iterdir()):
                shutil.rmtree(child)


def size_bytes(folder: Path | str) -> int:
    """Bytes of all files in a folder."""
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                size += size_bytes(entry.path)
            elif entry.is_file():
                size += entry.stat().st_size
    return size
