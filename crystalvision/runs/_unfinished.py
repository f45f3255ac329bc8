"""The folder of an unfinished training, from which the same command continues."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crystalvision.config import first_difference
from crystalvision.errors import InputError
from crystalvision.json_text import parse_json
from crystalvision.locks import take_lock
from crystalvision.ordinary_files import check_ordinary
from crystalvision.small_files import read_small
from crystalvision.storage import disk_errors, write_text
from crystalvision.training import Checkpoint, read_checkpoint, write_checkpoint

_DESCRIPTION, _MACHINE, _LOCK = "training.json", "machine.json", "lock"
_FILES = ("checkpoint-a.safetensors", "checkpoint-b.safetensors")
Note = Callable[[str], None]


class Unfinished:
    """The folder `OUTPUT.partial` while the training that shall become `OUTPUT` is under way.

    It keeps the last two checkpoints, so that one that is damaged costs an epoch.

    Args:
        path: The folder.
        note: Told what the user should know.
    """

    def __init__(self, path: Path, note: Note) -> None:
        self.path = path
        self._note = note
        self._next = 0

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that can be read, or `None` if none was written.

        Raises:
            InputError: There are checkpoints, but each is damaged.
        """
        found: list[tuple[Checkpoint, int]] = []
        damaged: list[InputError] = []
        for number, name in enumerate(_FILES):
            if (self.path / name).is_file():
                try:
                    found.append((read_checkpoint(self.path / name), number))
                except InputError as error:
                    damaged.append(error)
        if not found and damaged:
            raise InputError(f"{damaged[0]}; delete {self.path}, or use --overwrite, to begin anew")
        for problem in damaged:
            self._note(f"{problem}; taking the checkpoint of another epoch")
        if not found:
            return None
        newest, number = max(found, key=lambda item: _age(item[0]))
        self._next = 1 - number
        return newest

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the older of the two checkpoints.

        Raises:
            StorageError: The disk refuses.
        """
        with disk_errors(self.path):
            write_checkpoint(checkpoint, self.path / _FILES[self._next])
        self._next = 1 - self._next

    def discard(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def threads(self) -> int:
        """Threads that it is computed with, as far as the folder tells; 0 where it does not."""
        try:
            return int(json.loads((self.path / _MACHINE).read_text(encoding="utf-8"))["threads"])
        except (OSError, ValueError, TypeError, KeyError):
            return 0

    @threads.setter
    def threads(self, number: int) -> None:
        write_text(self.path / _MACHINE, json.dumps({"threads": number}))

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint."""
        return any((self.path / name).is_file() for name in _FILES)


def partial_path(path: Path) -> Path:
    """The folder of the unfinished training that shall become the run at `path`."""
    return path.with_name(f"{path.name}.partial")


@contextmanager
def unfinished(
    path: Path, identity: Mapping[str, Any], *, overwrite: bool, note: Note
) -> Iterator[Unfinished]:
    """Hold the folder of an unfinished training, alone.

    It stays if the training stops after its first epoch, and is removed if nothing is in it worth
    keeping.

    Args:
        path: Where the run shall be.
        identity: What must be the same for a training to go on.
        overwrite: Whether the unfinished training of something else may be discarded.
        note: Told what the user should know.

    Raises:
        InputError: Another process trains there, or something else is unfinished there.
        StorageError: The disk refuses.
    """
    folder = partial_path(path)
    with disk_errors(path):
        if folder.exists() and any(folder.iterdir()) and not (folder / _LOCK).exists():
            raise InputError(
                f"{folder} is in the way, and is no unfinished training; move it, or choose "
                "another -o folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        for entry in folder.iterdir():
            check_ordinary(entry)
        lock = take_lock(
            folder / _LOCK,
            f"another process is training {path} now; wait for it, or choose another -o folder",
        )
    held = Unfinished(folder, note)
    try:
        _claim(held, path, identity, overwrite=overwrite, note=note)
        yield held
    finally:
        if not held.begun:
            held.discard()
        lock.release()


def _claim(
    held: Unfinished, path: Path, identity: Mapping[str, Any], *, overwrite: bool, note: Note
) -> None:
    """Check that what is unfinished in the folder is this training, or make it so."""
    file = held.path / _DESCRIPTION
    mine = json.loads(json.dumps(identity))
    if held.begun:
        other = _read(file)
        if other == mine and (not overwrite or _readable(held)):
            return
        differs = f"it differs in {first_difference(other, mine)}"
        what = differs if other != mine else "it is damaged"
        if not overwrite:
            raise InputError(
                f"{held.path} holds an unfinished training of something else: {what}; delete it, "
                "use --overwrite to discard it, or another -o folder"
            )
        note(f"discarding the unfinished training in {held.path}: {what}")
    with disk_errors(path):
        for name in _FILES:
            (held.path / name).unlink(missing_ok=True)
        write_text(file, json.dumps(mine, indent=1))


def _read(file: Path) -> Any:
    try:
        return parse_json(read_small(file))
    except (OSError, ValueError):
        return None


def _readable(held: Unfinished) -> bool:
    try:
        held.latest()
    except InputError:
        return False
    return True


def _age(checkpoint: Checkpoint) -> tuple[int, int]:
    return checkpoint.progress.phase, checkpoint.progress.epoch


def file_hash(path: str) -> str:
    """The hash of a single-file plugin, whose version nobody counts."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""
