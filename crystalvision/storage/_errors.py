"""The disk's refusals, said plainly."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crystalvision.errors import StorageError

_ADVICE = {
    errno.ENOSPC: "free some space, then run the same command again",
    errno.EDQUOT: "free some of your quota, then run the same command again",
    errno.EFBIG: "raise the limit on the size of files, then run again",
    errno.EACCES: "choose a folder that you may write to, or change its permissions",
    errno.EPERM: "choose a folder that you may write to, or change its permissions",
    errno.EROFS: "choose a folder on a disk that is not read-only",
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_HIDDEN = re.compile(r"(?:os error |errno = |\[errno )(\d+)", re.IGNORECASE)
"""How libraries that are not written in Python (safetensors, HDF5, Arrow) tell the number."""
_NO_NUMBER = re.compile(r"PytorchStreamWriter failed|basic_ios::|file write failed", re.IGNORECASE)


@contextmanager
def disk_errors(path: Path, action: str = "written", *, resumable: bool = False) -> Iterator[None]:
    """Turn what the disk refuses inside the block into one line with what to do.

    Also what libraries tell of the disk by errors of their own; all other errors pass.

    Args:
        path: What to name.
        action: What cannot be done with it: "written", "read".
        resumable: Whether the same command goes on with `--resume`.

    Raises:
        StorageError: The disk refuses.
    """
    try:
        yield
    except BrokenPipeError:  # nobody reads what is printed: no matter of the disk
        raise
    except Exception as error:
        if not _of_the_disk(error):
            raise
        number = _number(error)
        advice = _ADVICE.get(number or 0, "check the disk and its permissions")
        if resumable and number in _FULL:
            advice += " with --resume"
        # The text of HDF5 has several lines and addresses in memory.
        reason = os.strerror(number) if number else " ".join(str(error).split())
        raise StorageError(f"{path} cannot be {action}: {reason}; {advice}") from error


def _of_the_disk(error: Exception) -> bool:
    if isinstance(error, OSError):
        return True
    return bool(_HIDDEN.search(str(error)) or _NO_NUMBER.search(str(error)))


def _number(error: Exception) -> int | None:
    if isinstance(error, OSError) and error.errno:
        return error.errno
    found = _HIDDEN.search(str(error))
    return int(found[1]) if found else None
