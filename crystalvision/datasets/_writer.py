"""Writes a dataset shard by shard, alone, and goes on where it was killed."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from crystalvision.datasets._codec import Codec
from crystalvision.datasets._columns import SPLIT
from crystalvision.datasets._direct import Rows, read_rows
from crystalvision.datasets._encode import ShardEncoder, checked_indices
from crystalvision.datasets._files import (
    LOCK_NAME,
    holds,
    remove_arrays,
    remove_partial_files,
)
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._layout import (
    HEADER_DOCUMENT,
    ROOT_DOCUMENT,
    SPLIT_FILES,
    images_file,
    shard_files,
)
from crystalvision.datasets._open import (
    find_missing_shards,
    is_dataset,
    read_header,
)
from crystalvision.datasets._recover import find_split, label_columns, recorded_splits
from crystalvision.datasets._same import check_same
from crystalvision.datasets._splits import SPLIT_NAMES, SplitSettings, split_arrays
from crystalvision.errors import InputError
from crystalvision.locks import take_lock
from crystalvision.storage import disk_errors, write_file

Mode = Literal["create", "resume", "overwrite"]


class DatasetWriter:
    """The one writer of a dataset; get it from `DatasetWriter.open`."""

    def __init__(self, path: Path, header: DatasetHeader, split: SplitSettings) -> None:
        self.path = path
        self.header = header
        self._split = split
        self._codec = Codec(header, split)
        self._encoder = ShardEncoder(header, self._codec)
        self._labels: Rows | None = None  # what splits follow from, once it is read

    @classmethod
    @contextmanager
    def open(
        cls,
        path: str | Path,
        header: DatasetHeader,
        mode: Mode = "create",
        split: SplitSettings | None = None,
    ) -> Iterator["DatasetWriter"]:
        """Hold the dataset at `path` for writing, alone, until the block ends.

        Args:
            path: Folder of the dataset.
            header: What the dataset is to be.
            mode: `create` wants a path where nothing is; `resume` goes on with a dataset that has
                the same header, or begins one; `overwrite` deletes the dataset that is there.
            split: How it is to be split; by default as it is already, or as is usual.

        Raises:
            InputError: Something is there that this mode does not accept, or another process is
                writing it.
            StorageError: The disk refused.
        """
        path = Path(path)
        check_place(path, mode)
        with disk_errors(path, "created", resumable=True):
            path.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            _check_begun(path, header, mode)
            if mode == "overwrite":
                # Killed between the two headers, it must not be left with two that differ.
                (path / HEADER_DOCUMENT).unlink(missing_ok=True)
                remove_arrays(path)
            if split is None:
                split = find_split(path, header) if mode == "resume" else SplitSettings()
            writer = cls(path, header, split)
            writer.prepare()
            yield writer

    @classmethod
    @contextmanager
    def hold(cls, path: str | Path, header: DatasetHeader) -> Iterator["DatasetWriter"]:
        """Hold the dataset that is at `path`, alone, and change nothing yet.

        Args:
            path: Folder of the dataset.
            header: Its header; its document may be damaged.

        Raises:
            InputError: Another process is writing it.
            StorageError: The disk refused.
        """
        path = Path(path)
        with _locked(path):
            yield cls(path, header, next(iter(recorded_splits(path, header)), SplitSettings()))

    def restore(self) -> None:
        """Write all but the shards anew, split as it was.

        Raises:
            InputError: Shards are missing, or nothing tells how it was split.
            StorageError: The disk refused, or the columns are damaged.
        """
        split = find_split(self.path, self.header)
        self.remove_partial_files()
        self.split(split)

    def remove_partial_files(self) -> None:
        """Remove what a killed writer left half-written.

        Raises:
            StorageError: The disk refused.
        """
        remove_partial_files(self.path)

    def prepare(self) -> None:
        """Write all metadata, and remove what a killed writer left half-written.

        Raises:
            StorageError: The disk refused.
        """
        self.remove_partial_files()
        documents = self._codec.documents()
        # The root goes first: it says that the folder is ours.
        self._write({ROOT_DOCUMENT: documents.pop(ROOT_DOCUMENT)})
        self._write(documents)

    def missing_shards(self) -> list[int]:
        """Shards that are still to be written, ascending."""
        return find_missing_shards(self.path, self.header)

    def shard_indices(self, shard: int) -> range:
        """Indices of the samples in a shard.

        Raises:
            InputError: There is no such shard.
        """
        return checked_indices(self.header, shard)

    def write_shard(
        self,
        shard: int,
        images: np.ndarray[Any, Any],
        columns: Mapping[str, np.ndarray[Any, Any]],
        seen: np.ndarray[Any, Any] | None = None,
    ) -> None:
        """Write a shard; whenever the process dies, the shard is whole or absent.

        Args:
            shard: Its number.
            images: Raw counts, (n, c, *grid), of the header's type.
            columns: Every column of the header, name → (n, *shape).
            seen: Which points were measured, bool (n, 1 or c, *grid), where the header says that
                every sample has a mask of its own.

        Raises:
            InputError: Arrays that do not fit the header.
            StorageError: The disk refused.
        """
        self.put_shard(shard, self._encoder.encode(shard, images, columns, seen))

    def put_shard(self, shard: int, files: Mapping[str, bytes]) -> None:
        """Write a shard that a `ShardEncoder` of the same header has encoded.

        Args:
            shard: Its number.
            files: Its files, by their path in the dataset.

        Raises:
            InputError: They are not the files of this shard.
            StorageError: The disk refused.
        """
        if list(files) != shard_files(self.header, shard):
            raise InputError(f"{self.path}: these are not the files of shard {shard}")
        self._labels = None
        with disk_errors(self.path, "written", resumable=True):
            (self.path / images_file(self.header, shard)).unlink(missing_ok=True)
        self._write(files)

    def remove_shards(self, shards: Iterable[int]) -> None:
        """Remove shards, so that they are missing; the images go first."""
        with disk_errors(self.path, "cleaned"):
            for shard in shards:
                for file in reversed(shard_files(self.header, shard)):
                    (self.path / file).unlink(missing_ok=True)

    def finish(self) -> dict[str, int]:
        """Assign the splits; with them the dataset is complete.

        Returns:
            Number of samples of each part, by its name.

        Raises:
            InputError: Shards are missing.
            StorageError: The disk refused.
        """
        return self._write_splits(self._split_arrays(self._split))

    def split(self, settings: SplitSettings) -> dict[str, int]:
        """Assign the splits of a finished dataset anew.

        Returns:
            Number of samples of each part, by its name.

        Raises:
            InputError: Shards are missing; nothing is changed then.
            StorageError: The columns are damaged, and nothing is changed; or the disk refused.
        """
        arrays = self._split_arrays(settings)
        # Without them the dataset counts as unfinished, until both and the document agree again.
        with disk_errors(self.path, "written", resumable=True):
            for file in SPLIT_FILES:
                (self.path / file).unlink(missing_ok=True)
        self._codec = Codec(self.header, settings)
        self._split = settings
        self._write(
            {
                name: content
                for name, content in self._codec.documents().items()
                if not holds(self.path / name, content)
            }
        )
        return self._write_splits(arrays)

    def _split_arrays(self, settings: SplitSettings) -> Rows:
        """What is to be stored of the splits, by array."""
        missing = self.missing_shards()
        if missing:
            raise InputError(
                f"{self.path}: cannot be finished: {len(missing)} of {self.header.shards} shards "
                f"are missing, the first is {missing[0]}"
            )
        if self._labels is None:
            shards = range(self.header.shards)
            self._labels = label_columns([read_rows(self.path, self.header, n) for n in shards])
        return split_arrays(settings, self.header.samples, self._labels)

    def _write_splits(self, arrays: Rows) -> dict[str, int]:
        for name, values in arrays.items():
            self._write(self._codec.encode(name, 0, values))
        parts = arrays[SPLIT]
        return {name: int((parts == number).sum()) for number, name in enumerate(SPLIT_NAMES)}

    def _write(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            write_file(self.path / name, content, resumable=True)


def _check_begun(path: Path, header: DatasetHeader, mode: Mode) -> None:
    """Look again, now that no one else writes: another process may just have begun."""
    begun = (path / ROOT_DOCUMENT).exists()
    if begun and mode == "create":
        raise InputError(_exists(path))
    if begun and mode == "resume":
        check_same(path, read_header(path), header)


def check_place(path: Path, mode: Mode) -> None:
    """Refuse a path before anything is made there, so that a stranger's folder stays untouched."""
    if mode not in get_args(Mode):
        raise InputError(f"mode {mode!r} is not one of {', '.join(get_args(Mode))}")
    if path.exists() and not path.is_dir():
        raise InputError(f"{path}: exists already and is a file; choose another output")
    if not path.is_dir():
        return
    with disk_errors(path, "read"):
        empty = not any(path.iterdir())
    if not empty and not is_dataset(path):
        raise InputError(
            f"{path}: exists already and is not a dataset of crystalvision, so it is neither "
            "resumed nor overwritten; choose another output"
        )
    if mode == "create" and (path / ROOT_DOCUMENT).exists():
        raise InputError(_exists(path))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the dataset's lock; the system releases it when the process dies, however it dies."""
    with disk_errors(path, "locked"):
        lock = take_lock(
            path / LOCK_NAME,
            f"{path}: another process is writing this dataset; wait until it ends, or choose "
            "another output",
        )
    try:
        yield
    finally:
        lock.release()


def _exists(path: Path) -> str:
    return (
        f"{path}: exists already; go on with it by --resume, replace it by --overwrite, or choose "
        "another output"
    )


def mode_of(*, resume: bool, overwrite: bool) -> Mode:
    """What to do with a dataset that is there already.

    Raises:
        InputError: Both were asked for.
    """
    if resume and overwrite:
        raise InputError("--resume and --overwrite exclude each other: go on, or start anew")
    if resume:
        return "resume"
    return "overwrite" if overwrite else "create"
