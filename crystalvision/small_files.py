"""Reads files that somebody else may have written, and that ought to be small."""

from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.ordinary_files import check_ordinary
from crystalvision.storage import disk_errors

_ABSENT = (FileNotFoundError, NotADirectoryError, PermissionError)
MAX_BYTES = 16 * 2**20  # JSON of so many bytes takes up to some 400 MB


def read_small(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a file, bounded.

    Args:
        path: The file.
        max_bytes: How large it may be [byte].

    Raises:
        OSError: It is missing, or may not be read.
        StorageError: The disk refuses.
        InputError: It is too large, or no file: a pipe would be waited for, a device never ends.
    """
    check_ordinary(path)
    if path.is_dir():
        raise InputError(f"{path}: a folder; expected a file")
    content, refused = b"", None
    with disk_errors(path, "read"):
        try:
            with path.open("rb") as file:
                content = file.read(max_bytes + 1)
        except _ABSENT as error:  # the caller knows what that means
            refused = error
    if refused is not None:
        raise refused
    if len(content) > max_bytes:
        raise InputError(f"{path}: larger than {max_bytes / 2**20:g} MiB; expected a small file")
    return content


def read_small_text(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        InputError: The file is missing, too large, no file, or not in UTF-8.
        StorageError: The disk refuses.
    """
    try:
        content = read_small(path, max_bytes)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r}: no name of a file: {error}") from error  # a NUL in it
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path}: in UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}, line {line}: cannot be read as text: byte 0x{content[error.start]:02x} is "
            "not UTF-8; save it as UTF-8"
        ) from error
