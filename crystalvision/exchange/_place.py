"""Where exports go: written beside, then renamed, so that what is there is whole.

Only what an export of ours can have written is ever replaced or removed.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crystalvision.datasets._files import PARTIAL_SUFFIX, disk_errors
from crystalvision.errors import InputError
from crystalvision.exchange._document import DOCUMENT, is_document
from crystalvision.locks import take_lock
from crystalvision.plain_paths import check_plain

_OLD_SUFFIX = ".replaced"
_LOCK = ".{}.crystalvision.lock"
_OURS = re.compile(
    r"(dataset\.json|labels\.csv|README\.md"
    r"|(train|validation|test)/[^/]+/\d{8,}\.png"
    r"|(train|validation|test)-\d{6,}\.tar"
    r"|(.*/)?\.DS_Store)"
)


@contextmanager
def new_file(
    path: Path, dataset: Path, *, overwrite: bool, is_ours: Callable[[Path], bool]
) -> Iterator[Path]:
    """A file that appears at `path` once the block has ended without an error.

    Args:
        path: Where it is to be.
        dataset: The dataset that is exported, which must not be written into.
        overwrite: Replace the file that is there, if it is ours.
        is_ours: Whether a file was written by us.

    Yields:
        Where to write it.

    Raises:
        InputError: The place is taken.
        StorageError: The disk refused; nothing is left behind.
    """
    _check_outside(path, dataset)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; expected the name of a file, such as data.h5")
    check_plain([path])
    if path.exists():
        if not overwrite:
            raise InputError(_taken(path))
        if not is_ours(path):
            raise InputError(_foreign(path, "was not exported by crystalvision"))
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    with _locked(path), disk_errors(path, "written", resumable=False):
        try:
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


@contextmanager
def new_folder(path: Path, dataset: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder that appears at `path` once the block has ended without an error.

    Args:
        path: Where it is to be.
        dataset: The dataset that is exported, which must not be written into.
        overwrite: Replace the folder that is there, if it holds nothing but an export.

    Yields:
        Where to write its files.

    Raises:
        InputError: The place is taken.
        StorageError: The disk refused; nothing is left behind.
    """
    if path.name in {"", ".."}:
        raise InputError(f"-o {path}: expected the name of a folder to make, such as exported")
    _check_outside(path, dataset)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path}: exists already and is a file; choose another output")
    if path.is_dir() and any(path.iterdir()):
        if not overwrite:
            raise InputError(_taken(path))
        if not is_document(path / DOCUMENT):
            raise InputError(_foreign(path, "was not exported by crystalvision"))
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    old = path.with_name(path.name + _OLD_SUFFIX)
    with _locked(path), disk_errors(path, "written", resumable=False):
        for folder in (path, partial, old):
            _check_ours(folder)
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            yield partial
            if hasattr(os, "sync"):
                os.sync()  # one call for a hundred thousand files
            _swap(partial, path, old)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _swap(partial: Path, path: Path, old: Path) -> None:
    if old.exists():
        shutil.rmtree(old)
    if path.exists():
        path.rename(old)
    partial.rename(path)
    if old.exists():
        shutil.rmtree(old)


def _check_ours(folder: Path) -> None:
    """Refuse to remove a folder that holds what no export of ours wrote."""
    for found in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = found.relative_to(folder).as_posix()
        if (found.is_symlink() or not found.is_dir()) and not _OURS.fullmatch(name):
            raise InputError(_foreign(folder, f"holds {name}, which is no part of an export"))


def _check_outside(path: Path, dataset: Path) -> None:
    if path.resolve().is_relative_to(dataset.resolve()):
        raise InputError(f"{path}: lies within the dataset {dataset}; choose a place beside it")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep two exports from writing to one place."""
    place = path.with_name(_LOCK.format(path.name))
    with disk_errors(path, "written", resumable=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = take_lock(
            place,
            f"{path}: another process is writing it; wait until it ends, or choose another output",
        )
    try:
        yield
    finally:
        with suppress(OSError):
            place.unlink(missing_ok=True)
        lock.release()


def _taken(path: Path) -> str:
    return f"{path}: exists already; replace it by --overwrite, or choose another output"


def _foreign(path: Path, why: str) -> str:
    return f"{path}: {why}, so it is not replaced; move it elsewhere, or choose another output"
