"""Reads a dataset."""

import difflib
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Int, UInt8

from crystalvision.datasets._columns import IMAGES, LABEL, SEEN, SPLIT, SUBSET_RANK
from crystalvision.datasets._direct import ArrayReader, Rows, damaged, read_rows, read_splits
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._layout import fill_value, sample_arrays, stored_columns
from crystalvision.datasets._open import RESUME_HINT, find_missing_shards, is_split, read_header
from crystalvision.datasets._recover import find_split, follows, recorded_splits
from crystalvision.datasets._splits import SPLIT_NAMES, SplitSettings
from crystalvision.datasets._subset import chosen_by
from crystalvision.errors import InputError

PARTS = (*SPLIT_NAMES, "all")


class Dataset:
    """A dataset on the disk; images are read when they are asked for.

    Attributes:
        path: Its folder.
        header: What it says of itself.
        missing_shards: Shards that are not written, ascending.
        chosen: Of a subset, which samples of the whole it has, (n,); `None` of a whole dataset.
    """

    def __init__(self, path: Path, header: DatasetHeader, missing_shards: list[int]) -> None:
        self.path = path
        self.header = header
        self.missing_shards = missing_shards
        self.chosen: Int[np.ndarray, "n"] | None = None

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
        return self.header.samples if self.chosen is None else len(self.chosen)

    @property
    def identity(self) -> str:
        """SHA-256 (hex) of what defines the content: recipe, seed, number of samples, shapes."""
        return self.header.identity

    def subset(self, which: npt.ArrayLike | str) -> Self:
        """Some samples as a dataset: a view, which is trained on and judged as any other.

        Its images, columns and splits are counted from 0 in the order of the indices. A sample is
        in the split in which it is in the whole. Header and identity are those of the whole.

        Args:
            which: Indices, (n,); or text: `0:500`, `3,7,12`; `10%` of every split, with the
                proportions of the classes; or a condition on columns, such as
                `thickness_angstrom < 200 and label == twin`.

        Raises:
            InputError: None, one twice, or one that is not there.
        """
        if isinstance(which, str):
            which = chosen_by(
                which,
                samples=len(self),
                split=self.split,
                columns=self.header.columns,
                read=self.column,
            )
        wanted = self.check_indices(which)
        values, counts = np.unique(wanted, return_counts=True)
        if not len(wanted) or counts.max() > 1:
            what = f"sample {values[counts.argmax()]} twice" if len(wanted) else "no samples"
            raise InputError(f"{self.path}: a subset of {what}; expected one or more, each once")
        part = copy(self)
        part.chosen = self.numbers(wanted)
        return part

    def numbers(self, indices: npt.ArrayLike) -> Int[np.ndarray, "n"]:
        """Indices of some samples in the whole dataset, (n,) → (n,)."""
        places = np.asarray(indices, dtype=np.int64)
        return places if self.chosen is None else self.chosen[places]

    @property
    def complete(self) -> bool:
        """Whether every shard is there and the splits are assigned."""
        return not self.missing_shards and is_split(self.path)

    def written(self) -> Int[np.ndarray, "n"]:
        """Indices of the samples that are there, ascending."""
        shards = self.numbers(np.arange(len(self))) // self.header.samples_per_shard
        return np.flatnonzero(~np.isin(shards, self.missing_shards))

    def images(self, indices: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """Raw counts of some samples, in the order asked for: (n,) → (n, c, *grid).

        Raises:
            InputError: An index out of range, or of a sample that is not written.
            StorageError: The data cannot be read.
        """
        return self._reader(IMAGES).read(self.numbers(self.check_indices(indices)))

    def seen(self, indices: npt.ArrayLike) -> Bool[np.ndarray, "n channels *grid"] | None:
        """Which points of some samples were measured, (n,) → (n, 1 or c, *grid).

        `None` where all points of all samples were.

        Raises:
            InputError: An index out of range, or of a sample that is not written.
            StorageError: The data cannot be read.
        """
        wanted = self.check_indices(indices)
        if self.header.seen is None:
            return None
        mask = self._seen_mask
        if mask is None:
            return self._reader(SEEN).read(self.numbers(wanted))
        return np.broadcast_to(mask, (len(wanted), *mask.shape))

    def column(self, name: str, indices: npt.ArrayLike | None = None) -> np.ndarray[Any, Any]:
        """The value of a column for each sample, (samples, *shape), or for some, (n, *shape).

        In an incomplete dataset, samples that are not written have class -1, NaN, or 0.

        Raises:
            InputError: There is no such column, or an index as in `images`.
            StorageError: The data cannot be read.
        """
        known = {**self.header.columns, **stored_columns(self.header)}
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
            raise InputError(f"{self.path}: no column '{name}'{hint} (columns: {', '.join(known)})")
        if name in self._table:
            table: np.ndarray[Any, Any] = self._table[name]
            if indices is None and self.chosen is None:
                return table
            places = np.arange(len(self)) if indices is None else self.check_indices(indices)
            values: np.ndarray[Any, Any] = table[self.numbers(places)]
            return values
        if indices is not None:
            return self._reader(name).read(self.numbers(self.check_indices(indices)))
        array = sample_arrays(self.header)[name]
        column = np.full(
            (len(self), *array.shape), fill_value(name, array.dtype), dtype=array.dtype
        )
        written = self.written()
        column[written] = self._reader(name).read(self.numbers(written))
        return column

    def check_classes(self, purpose: str) -> None:
        """Check that samples have a class.

        Args:
            purpose: What needs it, such as `a confusion matrix`.

        Raises:
            InputError: There is no column `label`.
        """
        if LABEL not in self.header.columns:
            raise InputError(
                f"{self.path}: has no classes, which {purpose} needs: expected a column '{LABEL}' "
                f"(columns: {', '.join(self.header.columns)})"
            )

    def split(self, name: str, size: int | None = None) -> Int[np.ndarray, "n"]:
        """Indices of a part of the dataset, ascending, (n,).

        Args:
            name: `train`, `validation`, `test` or `all`.
            size: Only so many of them: a subset with the proportions of the classes. Smaller
                subsets lie within larger ones.

        Raises:
            InputError: The name is none of the parts, the dataset is not finished, or the part has
                fewer samples.
            StorageError: The data cannot be read.
        """
        if name not in PARTS:
            raise InputError(f"split '{name}' is not one of {', '.join(PARTS)}")
        if name == "all" and size is None:
            return np.arange(len(self), dtype=np.int64)
        if not is_split(self.path):
            raise InputError(f"{self.path}: incomplete: has no splits; {RESUME_HINT}")
        part, rank = self._splits
        if self.chosen is not None:
            part, rank = part[self.chosen], rank[self.chosen]
        chosen = np.ones(len(self), dtype=bool)
        if name != "all":
            chosen = part == SPLIT_NAMES.index(name)
        if size is None:
            return np.flatnonzero(chosen).astype(np.int64)
        count = int(chosen.sum())
        if name == "all" or not 0 < size <= count:
            raise InputError(
                f"{self.path}: {size} samples of split '{name}' were asked for; expected 1 to "
                f"{count} of train, validation or test"
            )
        first = np.flatnonzero(chosen)
        return np.sort(first[np.argsort(rank[first])[:size]]).astype(np.int64)

    def split_settings(self) -> SplitSettings:
        """How it is split.

        Raises:
            InputError: Nothing tells it.
            StorageError: The data cannot be read.
        """
        return find_split(self.path, self.header)

    def split_columns(self) -> Rows:
        """The part of each sample and its rank there, `split` and `subset_rank`, (samples,).

        Raises:
            StorageError: They cannot be read, or are not those of this dataset.
        """
        return dict(zip((SPLIT, SUBSET_RANK), self._splits, strict=True))

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
        shards = self.numbers(wanted) // self.header.samples_per_shard
        absent = wanted[np.isin(shards, self.missing_shards)]
        if absent.size:
            raise InputError(f"{self.path}: sample {absent[0]} is not written yet; {RESUME_HINT}")
        return wanted

    def __getstate__(self) -> dict[str, Any]:
        # A worker process reads what it needs by itself.
        kept = ("path", "header", "missing_shards", "chosen")
        return {key: value for key, value in self.__dict__.items() if key in kept}

    def _reader(self, name: str) -> ArrayReader:
        if name not in self._readers:
            self._readers[name] = ArrayReader(self.path, self.header, name)
        return self._readers[name]

    @cached_property
    def _readers(self) -> dict[str, ArrayReader]:
        return {}

    @cached_property
    def _seen_mask(self) -> Bool[np.ndarray, "channels *grid"] | None:
        return self.header.seen_mask()

    @cached_property
    def _splits(self) -> tuple[UInt8[np.ndarray, "n"], Int[np.ndarray, "n"]]:
        """Part of each sample, and its rank there.

        Raises:
            StorageError: They cannot be read, or are not those of this dataset.
        """
        stored = read_splits(self.path, self.header)
        if self.missing_shards:  # then nothing is known that they should follow from
            return stored
        recorded = set(recorded_splits(self.path, self.header))
        if not recorded or not all(follows(stored, settings, self._table) for settings in recorded):
            raise damaged(self.path, "the splits do not follow from the labels as it is told")
        return stored

    @cached_property
    def _table(self) -> Rows:
        """Every number of every sample, name → (samples,)."""
        table = {
            name: np.full(self.header.samples, fill_value(name, column.dtype), dtype=column.dtype)
            for name, column in stored_columns(self.header).items()
        }
        for shard in sorted(set(range(self.header.shards)).difference(self.missing_shards)):
            indices = self.header.shard_indices(shard)
            for name, values in read_rows(self.path, self.header, shard).items():
                table[name][indices.start : indices.stop] = values
        return table
