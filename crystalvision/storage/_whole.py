"""Files and folders that appear at their names once they are whole."""

import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.storage._destination import Destination
from crystalvision.storage._errors import disk_errors
from crystalvision.storage._place import TakenError, place, remove, rename_to_free

_TOKEN = 8  # hexadecimal digits that tell one writer from all others
_PARTIAL = re.compile(r"\..*\.[0-9a-f]{8}\.partial(\.[^.]*)?")


def partial_name(path: Path) -> Path:
    """A name beside `path` that no other writer uses; exporters look at the suffix, so it stays."""
    return path.with_name(
        f".{path.stem[:200]}.{secrets.token_hex(_TOKEN // 2)}.partial{path.suffix}"
    )


def is_partial(path: Path) -> bool:
    """Whether a name is one that a writer gives to what is not whole yet."""
    return _PARTIAL.fullmatch(path.name) is not None


def remove_partials(path: Path) -> None:
    """Remove what killed writers left beside a path; only for who holds its lock."""
    first, last = f".{path.stem[:200]}.", f".partial{path.suffix}"
    for found in path.parent.iterdir():
        middle = found.name.removeprefix(first).removesuffix(last)
        if is_partial(found) and f"{first}{middle}{last}" == found.name and len(middle) == _TOKEN:
            remove(found)


@contextmanager
def whole_file(
    to: Path | Destination, *, overwrite: bool = False, keep: bool = False, resumable: bool = False
) -> Iterator[Path]:
    """A file that appears once the block has ended without an error.

    Args:
        to: Where it is to be. A `Destination` was looked at, and checked, before the work began:
            what stood there then is replaced.
        overwrite: Of a path: whether the file that is there now may be replaced.
        keep: Whether what is finished, but finds its place taken, stays beside it.
        resumable: Whether the same command goes on with `--resume`.

    Yields:
        Where to write it: an empty file of the same suffix.

    Raises:
        InputError: A file is there that may not be replaced, or a folder.
        TakenError: Something else appeared there meanwhile; it is left as it is.
        StorageError: The disk refuses; nothing half-written is left.
    """
    destination = _destination(to, overwrite=overwrite)
    if destination.target.is_dir():
        raise InputError(f"{destination.path} is a folder; expected the name of a file")
    partial = partial_name(destination.target)
    try:
        with disk_errors(destination.path, resumable=resumable):
            partial.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("xb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            yield partial
            _settle(partial, mode)
            _place(partial, destination, keep=keep)
    finally:
        remove(partial)


@contextmanager
def whole_folder(
    to: Path | Destination, *, overwrite: bool = False, keep: bool = False, sync: bool = False
) -> Iterator[Path]:
    """A folder that appears once the block has ended without an error.

    Args:
        to: Where it is to be, as for `whole_file`; an empty folder there is replaced.
        overwrite: Of a path: whether what is there now may be replaced.
        keep: Whether what is finished, but finds its place taken, stays beside it.
        sync: Whether all is on the disk before the folder appears.

    Yields:
        An empty folder beside it to write in.

    Raises:
        InputError: Something is there that may not be replaced.
        TakenError: Something else appeared there meanwhile; it is left as it is.
        StorageError: The disk refuses; nothing half-written is left.
    """
    destination = _destination(to, overwrite=overwrite)
    partial = partial_name(destination.target)
    try:
        with disk_errors(destination.path):
            partial.mkdir(parents=True)
        yield partial
        with disk_errors(destination.path):
            if sync and hasattr(os, "sync"):
                os.sync()  # one call for a hundred thousand files
            _place(partial, destination, keep=keep)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def place_folder(folder: Path, destination: Destination) -> None:
    """Give a finished folder its name; where that is taken, it gets a free one beside it.

    Raises:
        TakenError: Its place is taken; the text says where it is.
        StorageError: The disk refuses.
    """
    with disk_errors(destination.path):
        _place(folder, destination, keep=True)


def write_file(path: Path, content: bytes, *, resumable: bool = False) -> None:
    """Write a file of which the caller is the one writer: it is whole or absent, also after a kill.

    Args:
        path: Where; a file that is there is replaced.
        content: What it is to hold.
        resumable: Whether the same command goes on with `--resume`.

    Raises:
        StorageError: The disk refuses; nothing is left behind.
    """
    partial = partial_name(path)
    with disk_errors(path, resumable=resumable):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            remove(partial)
            raise


def write_text(path: Path, text: str) -> None:
    """Write a file of text, in UTF-8, as `write_file` does.

    Raises:
        StorageError: The disk refuses; nothing is left behind.
    """
    write_file(path, text.encode())


def read_text(path: Path) -> str:
    """The text of a file, in UTF-8, its line ends as they are.

    Raises:
        FileNotFoundError: There is none: the caller knows what that means.
        UnicodeDecodeError: It is no text.
        StorageError: The disk refuses.
    """
    with disk_errors(path, "read"):
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            missing = error
        else:
            return content.decode()
    raise missing


def _destination(to: Path | Destination, *, overwrite: bool) -> Destination:
    if isinstance(to, Destination):
        return to
    destination = Destination.look(to)
    if destination.taken and not overwrite:
        raise InputError(f"{to} is there already; use --overwrite, or another -o")
    return destination


def _settle(partial: Path, mode: int) -> None:
    """Wait for the disk, and undo what safetensors does: it keeps others out."""
    if stat.S_IMODE(partial.stat().st_mode) != mode:
        partial.chmod(mode)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())


def _place(new: Path, destination: Destination, *, keep: bool) -> None:
    try:
        place(new, destination)
    except TakenError as error:
        if not keep:
            raise TakenError(f"{error}; run the command again, with another -o") from error
        kept = _keep(new, destination.target)
        raise TakenError(
            f"{error}; the finished work is whole, at {kept}: use it there, or rename it"
        ) from error


def _keep(new: Path, target: Path) -> Path:
    """Give what is finished a free name beside its place."""
    for number in count(2):
        kept = target.with_name(f"{target.stem}-{number}{target.suffix}")
        if not os.path.lexists(kept) and rename_to_free(new, kept):
            return kept
    raise AssertionError  # names do not end
