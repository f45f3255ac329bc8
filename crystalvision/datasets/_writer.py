"""Writes a dataset shard by shard, alone, and goes on where it was killed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from filelock import FileLock, Timeout

from crystalvision.datasets._checksums import image_checksums, row_checksums
from crystalvision.datasets._files import (
    LOCK_NAME,
    disk_errors,
    remove_arrays,
    remove_partial_files,
    write_file,
)
from crystalvision.datasets._header import (
    IMAGE_CHECKSUM,
    IMAGES,
    ROW_CHECKSUM,
    SPLIT,
    DatasetHeader,
)
from crystalvision.datasets._layout import ROOT_DOCUMENT, Codec, images_file
from crystalvision.datasets._open import find_missing_shards, is_dataset, read_header
from crystalvision.datasets._same import check_same
from crystalvision.datasets._splits import assign_splits
from crystalvision.errors import InputError

Mode = Literal["create", "resume", "overwrite"]


class DatasetWriter:
    """The one writer of a dataset; get it from `DatasetWriter.open`."""

    def __init__(self, path: Path, header: DatasetHeader) -> None:
        self.path = path
        self.header = header
        self._codec = Codec(header)

    @classmethod
    @contextmanager
    def open(
        cls, path: str | Path, header: DatasetHeader, mode: Mode = "create"
    ) -> Iterator["DatasetWriter"]:
        """Hold the dataset at `path` for writing, alone, until the block ends.

        Args:
            path: Folder of the dataset.
            header: What the dataset is to be.
            mode: `create` wants a path where nothing is; `resume` goes on with a dataset that has
                the same header, or begins one; `overwrite` deletes the dataset that is there.

        Raises:
            InputError: Something is there that this mode does not accept, or another process is
                writing it.
            StorageError: The disk refused.
        """
        path = Path(path)
        _check_place(path, mode)
        with disk_errors(path, "created"):
            path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        try:
            writer = cls(path, header)
            writer._prepare(mode)
            yield writer
        finally:
            lock.release()

    def missing_shards(self) -> list[int]:
        """Shards that are still to be written, ascending."""
        return find_missing_shards(self.path, self.header)

    def shard_indices(self, shard: int) -> range:
        """Indices of the samples in a shard.

        Raises:
            InputError: There is no such shard.
        """
        if not 0 <= shard < self.header.shards:
            raise InputError(f"shard {shard} does not exist; shards go to {self.header.shards - 1}")
        return self.header.shard_indices(shard)

    def write_shard(
        self,
        shard: int,
        images: np.ndarray[Any, Any],
        columns: Mapping[str, np.ndarray[Any, Any]],
    ) -> None:
        """Write a shard; whenever the process dies, the shard is whole or absent.

        Args:
            shard: Its number.
            images: Raw counts, (n, c, h, w), of the header's type.
            columns: Every column of the header, name → (n,).

        Raises:
            InputError: Arrays that do not fit the header.
            StorageError: The disk refused.
        """
        indices = self.shard_indices(shard)
        self._check_images(indices, images)
        rows = self._checked_columns(indices, columns)
        rows[IMAGE_CHECKSUM] = image_checksums(images)
        rows[ROW_CHECKSUM] = row_checksums(indices.start, rows)
        with disk_errors(self.path, "written"):
            (self.path / images_file(shard)).unlink(missing_ok=True)
        for name, values in [*rows.items(), (IMAGES, images)]:
            self._write(self._codec.encode(name, indices.start, values))

    def finish(self) -> None:
        """Assign the splits; with them the dataset is complete.

        Raises:
            InputError: Shards are missing.
            StorageError: The disk refused.
        """
        missing = self.missing_shards()
        if missing:
            raise InputError(
                f"{self.path}: cannot be finished: {len(missing)} of {self.header.shards} shards "
                f"are missing, the first is {missing[0]}"
            )
        with disk_errors(self.path, "read"):
            labels = np.asarray(zarr.open_array(self.path / "label", mode="r")[:])
        self._write(self._codec.encode(SPLIT, 0, assign_splits(labels)))

    def _prepare(self, mode: Mode) -> None:
        # Again, now that no one else writes: another process may just have begun.
        begun = (self.path / ROOT_DOCUMENT).exists()
        if begun and mode == "create":
            raise InputError(_exists(self.path))
        if begun and mode == "resume":
            check_same(self.path, read_header(self.path), self.header)
        remove_partial_files(self.path)
        if mode == "overwrite":
            remove_arrays(self.path)
        documents = self._codec.documents()
        # The root goes first: it says that the folder is ours.
        self._write({ROOT_DOCUMENT: documents.pop(ROOT_DOCUMENT)})
        self._write(documents)

    def _write(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            write_file(self.path / name, content)

    def _check_images(self, indices: range, images: np.ndarray[Any, Any]) -> None:
        shape = (len(indices), *self.header.image_shape)
        if images.shape != shape or images.dtype != np.dtype(self.header.dtype):
            raise InputError(
                f"images of samples {indices.start}–{indices.stop - 1} are {images.dtype} "
                f"{images.shape}; expected {self.header.dtype} {shape}"
            )
        if images.dtype.kind == "f" and not np.isfinite(images).all():
            raise InputError(
                f"images of samples {indices.start}–{indices.stop - 1} hold values that are not "
                "finite numbers"
            )

    def _checked_columns(
        self, indices: range, columns: Mapping[str, np.ndarray[Any, Any]]
    ) -> dict[str, np.ndarray[Any, Any]]:
        if set(columns) != set(self.header.columns):
            raise InputError(
                f"columns {sorted(columns)} were given; the header has "
                f"{sorted(self.header.columns)}"
            )
        rows = {}
        for name, column in self.header.columns.items():
            values = np.asarray(columns[name])
            if values.shape != (len(indices),):
                raise InputError(
                    f"column '{name}' has shape {values.shape}; expected ({len(indices)},)"
                )
            if not np.can_cast(values.dtype, column.dtype, casting="same_kind"):
                raise InputError(f"column '{name}' is {values.dtype}; expected {column.dtype}")
            rows[name] = values.astype(column.dtype)
        classes = len(self.header.class_names)
        wrong = rows["label"][(rows["label"] < 0) | (rows["label"] >= classes)]
        if wrong.size:
            raise InputError(f"label {wrong[0]} is no class; labels go from 0 to {classes - 1}")
        if not np.isfinite(rows["severity"]).all():
            raise InputError("column 'severity' holds values that are not finite numbers")
        return rows


def _check_place(path: Path, mode: Mode) -> None:
    """Refuse a path before anything is made there, so that a stranger's folder stays untouched."""
    if mode not in ("create", "resume", "overwrite"):
        raise InputError(f"mode {mode!r} is not one of create, resume, overwrite")
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


def _lock(path: Path) -> FileLock:
    """Hold the dataset's lock; the system releases it when the process dies, however it dies."""
    lock = FileLock(path / LOCK_NAME)
    with disk_errors(path, "locked"):
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                f"{path}: another process is writing this dataset; wait until it ends, or choose "
                "another output"
            ) from error
    return lock


def _exists(path: Path) -> str:
    return (
        f"{path}: exists already; go on with it by --resume, replace it by --overwrite, or choose "
        "another output"
    )
