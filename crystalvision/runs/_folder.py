"""Writes folders so that nothing half-written passes for whole."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crystalvision.errors import InputError, StorageError

RECORD = "run.yaml"


def check_free(path: Path, *, overwrite: bool) -> None:
    """Check that a run may be written at `path`.

    Raises:
        InputError: Something is there that may not be overwritten.
    """
    if path.name in {"", ".."}:
        raise InputError(f"-o {path}: expected the name of a folder to make, such as runs/first")
    if not path.exists() and not path.is_symlink():
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    if not (path / RECORD).is_file():
        raise InputError(f"{path} exists and is no run of crystalvision; choose another -o folder")
    if not overwrite:
        raise InputError(f"{path} holds a run already; use --overwrite, or another -o folder")


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line.

    Raises:
        StorageError: The disk refuses.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder that appears at `path` only when it is complete, and replaces what was there.

    Yields:
        An empty folder beside `path` to write in; it is removed if anything goes wrong.

    Raises:
        StorageError: The disk refuses.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.partial-", dir=path.parent))
    try:
        yield temporary
        with storage_errors(path):
            temporary.chmod(0o755)  # mkdtemp keeps others out
            replace_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def replace_folder(new: Path, path: Path) -> None:
    """Rename a folder to `path`, in place of what may be there.

    Raises:
        OSError: The disk refuses.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        new.rename(path)
        return
    # Folders cannot be exchanged in one step: set the old one aside, so that it is never half gone.
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old-", dir=path.parent))
    path.rename(old / "was")
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)
