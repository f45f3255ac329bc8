"""Files on the disk: written whole or not at all, and the disk's refusals said plainly."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crystalvision.errors import StorageError

PARTIAL_SUFFIX = ".partial"
LOCK_NAME = ".crystalvision.lock"

_ADVICE = {
    errno.ENOSPC: "free some space, then run the same command again with --resume",
    errno.EDQUOT: "free some of your quota, then run the same command again with --resume",
    errno.EFBIG: "raise the limit on the size of files, then run again with --resume",
    errno.EACCES: "choose a folder that you may write to, or change its permissions",
    errno.EPERM: "choose a folder that you may write to, or change its permissions",
    errno.EROFS: "choose a folder on a disk that is not read-only",
}


@contextmanager
def disk_errors(path: Path, action: str) -> Iterator[None]:
    """Turn an `OSError` inside the block into a `StorageError` with the path and what to do."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "check the disk and its permissions")
        reason = error.strerror or str(error)
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


def is_filled(path: Path) -> bool:
    """Whether a file is there and holds something."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


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


def size_bytes(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
