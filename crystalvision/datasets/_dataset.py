"""Reads a dataset."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import zarr
from jaxtyping import Int

from crystalvision.datasets._files import disk_errors, is_filled
from crystalvision.datasets._header import IMAGES, SPLIT, DatasetHeader
from crystalvision.datasets._layout import SPLIT_FILE, stored_columns
from crystalvision.datasets._open import RESUME_HINT, find_missing_shards, read_header
from crystalvision.datasets._splits import SPLIT_NAMES
from crystalvision.errors import InputError, StorageError

PARTS = (*SPLIT_NAMES, "all")


class Dataset:
    """A dataset on the disk; images are read when they are asked for.

    Attributes:
        path: Its folder.
        header: What it says of itself.
        missing_shards: Shards that are not written, ascending.
    """

    def __init__(self, path: Path, header: DatasetHeader, missing_shards: list[int]) -> None:
        self.path = path
        self.header = header
        self.missing_shards = missing_shards

    @classmethod
    def open(cls, path: str | Path, *, allow_incomplete: bool = False) -> Self:
        """Open the dataset at `path`.

        Args:
            path: Its folder.
            allow_incomplete: Accept a dataset of which shards are missing.

        Raises:
            InputError: There is nothing, no dataset of ours, or an incomplete one.
            StorageError: The header is damaged.
        """
        path = Path(path)
        header = read_header(path)
        dataset = cls(path, header, find_missing_shards(path, header))
        if not allow_incomplete and not dataset.complete:
            missing = len(dataset.missing_shards)
            what = f"{missing} of {header.shards} shards are missing" if missing else "not finished"
            raise InputError(f"{path}: incomplete: {what}; {RESUME_HINT}")
        return dataset

    def __len__(self) -> int:
        """Number of samples."""
        return self.header.samples

    @property
    def identity(self) -> str:
        """SHA-256 (hex) of what defines the content: recipe, seed, number of samples, shapes."""
        return self.header.identity

    @property
    def complete(self) -> bool:
        """Whether every shard is there and the splits are assigned."""
        return not self.missing_shards and is_filled(self.path / SPLIT_FILE)

    def written(self) -> Int[np.ndarray, "n"]:
        """Indices of the samples that are there, ascending."""
        shards = np.arange(len(self)) // self.header.samples_per_shard
        return np.flatnonzero(~np.isin(shards, self.missing_shards))

    def images(self, indices: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """Raw counts of some samples, in the order asked for: (n,) → (n, c, h, w).

        Raises:
            InputError: An index out of range, or of a sample that is not written.
            StorageError: The data cannot be read.
        """
        wanted = self.check_indices(indices)
        shards = wanted // self.header.samples_per_shard
        result = np.empty((len(wanted), *self.header.image_shape), dtype=self.header.dtype)
        for shard in np.unique(shards):
            here = np.flatnonzero(shards == shard)
            result[here] = self._read_images(wanted[here])
        return result

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """One number for each sample, (samples,).

        In an incomplete dataset, samples that are not written have label -1, NaN, or 0.

        Raises:
            InputError: There is no such column.
            StorageError: The data cannot be read.
        """
        known = stored_columns(self.header)
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
            raise InputError(f"{self.path}: no column '{name}'{hint} (columns: {', '.join(known)})")
        with self._reading():
            return np.asarray(self._array(name)[:])

    def split(self, name: str) -> Int[np.ndarray, "n"]:
        """Indices of a part of the dataset, ascending, (n,).

        Raises:
            InputError: The name is none of the parts, or the dataset is not finished.
            StorageError: The data cannot be read.
        """
        if name not in PARTS:
            raise InputError(f"split '{name}' is not one of {', '.join(PARTS)}")
        if name == "all":
            return np.arange(len(self), dtype=np.int64)
        if not is_filled(self.path / SPLIT_FILE):
            raise InputError(f"{self.path}: incomplete: has no splits; {RESUME_HINT}")
        with self._reading():
            parts = np.asarray(self._array(SPLIT)[:])
        return np.flatnonzero(parts == SPLIT_NAMES.index(name)).astype(np.int64)

    def check_indices(self, indices: npt.ArrayLike) -> Int[np.ndarray, "n"]:
        """Indices of samples as an int64 array, (n,).

        Raises:
            InputError: An index out of range, or of a sample that is not written.
        """
        wanted = np.atleast_1d(np.asarray(indices))
        if wanted.size == 0:
            return wanted.astype(np.int64).reshape(0)
        if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
            raise InputError(
                f"sample indices must be whole numbers in one row, not {indices!r:.60}"
            )
        wanted = wanted.astype(np.int64)
        outside = wanted[(wanted < 0) | (wanted >= len(self))]
        if outside.size:
            raise InputError(
                f"{self.path}: no sample {outside[0]}; samples go from 0 to {len(self) - 1}"
            )
        absent = wanted[np.isin(wanted // self.header.samples_per_shard, self.missing_shards)]
        if absent.size:
            raise InputError(f"{self.path}: sample {absent[0]} is not written yet; {RESUME_HINT}")
        return wanted

    def __getstate__(self) -> dict[str, Any]:
        # A worker process opens the store anew.
        return {key: value for key, value in self.__dict__.items() if key != "_group"}

    @cached_property
    def _group(self) -> zarr.Group:
        return zarr.open_group(self.path, mode="r", zarr_format=3)

    def _array(self, name: str) -> "zarr.Array[Any]":
        array = self._group[name]
        if not isinstance(array, zarr.Array):
            raise TypeError(f"{name} is a {type(array).__name__}, not an array")
        return array

    def _read_images(self, wanted: Int[np.ndarray, "n"]) -> np.ndarray[Any, Any]:
        """Images of samples of one shard."""
        first, last = int(wanted.min()), int(wanted.max())
        with self._reading():
            array = self._array(IMAGES)
            if last - first < 2 * len(wanted):
                back = wanted - first
                images = np.asarray(array[first : last + 1])
            else:
                rows, back = np.unique(wanted, return_inverse=True)
                images = np.asarray(array.oindex[rows])
        return np.take(images, back, axis=0)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            with disk_errors(self.path, "read"):
                yield
        except StorageError:
            raise
        except Exception as error:  # damaged bytes make zarr and its codecs raise anything
            raise StorageError(
                f"{self.path}: damaged: {str(error).splitlines()[0] if str(error) else error!r}; "
                f"`crystalvision dataset verify {self.path}` says where"
            ) from error
