"""Where exports go: written beside, then renamed, so that what is there is whole.

Only what an export of ours can have written is ever replaced or removed.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.exchange._document import DOCUMENT, is_document
from crystalvision.locks import take_lock
from crystalvision.ordinary_files import SYSTEM_FILES, check_ordinary
from crystalvision.storage import (
    Destination,
    disk_errors,
    remove_partials,
    whole_file,
    whole_folder,
)

_LOCK = ".{}.crystalvision.lock"
_OURS = re.compile(
    r"(dataset\.json|labels\.csv|README\.md"
    r"|(train|validation|test)/[^/]+/\d{8,}\.png"
    r"|(train|validation|test)-\d{6,}\.tar)"
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
    destination = Destination.look(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; expected the name of a file, such as data.h5")
    check_ordinary(path)
    if path.exists():
        if not overwrite:
            raise InputError(_taken(path))
        if not is_ours(path):
            raise InputError(_foreign(path, "was not exported by crystalvision"))
    with _locked(path), whole_file(destination, keep=True) as partial:
        yield partial


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
    destination = Destination.look(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path}: exists already and is a file; choose another output")
    if path.is_dir() and any(path.iterdir()):
        if not overwrite:
            raise InputError(_taken(path))
        if not is_document(path / DOCUMENT):
            raise InputError(_foreign(path, "was not exported by crystalvision"))
    with _locked(path):
        _check_ours(path)
        with whole_folder(destination, keep=True, sync=True) as partial, disk_errors(path):
            yield partial


def _check_ours(folder: Path) -> None:
    """Refuse to remove a folder that holds what no export of ours wrote."""
    for found in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = found.relative_to(folder).as_posix()
        if found.name.lower() in SYSTEM_FILES:
            continue
        if (found.is_symlink() or not found.is_dir()) and not _OURS.fullmatch(name):
            raise InputError(_foreign(folder, f"holds {name}, which is no part of an export"))


def _check_outside(path: Path, dataset: Path) -> None:
    if path.resolve().is_relative_to(dataset.resolve()):
        raise InputError(f"{path}: lies within the dataset {dataset}; choose a place beside it")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep two exports from writing to one place."""
    place = path.with_name(_LOCK.format(path.name))
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = take_lock(
            place,
            f"{path}: another process is writing it; wait until it ends, or choose another output",
        )
    try:
        with disk_errors(path):
            remove_partials(path)
        yield
    finally:
        with suppress(OSError):
            place.unlink(missing_ok=True)
        lock.release()


def _taken(path: Path) -> str:
    return f"{path}: exists already; replace it by --overwrite, or choose another output"


def _foreign(path: Path, why: str) -> str:
    return f"{path}: {why}, so it is not replaced; move it elsewhere, or choose another output"
