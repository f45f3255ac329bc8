"""What is exported of a dataset: which samples, a few images at a time, and all their columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from crystalvision.datasets import SPLIT, SPLIT_NAMES, Column, Dataset
from crystalvision.errors import InputError

Rows = dict[str, np.ndarray[Any, Any]]
Begin = Callable[[str, int], Callable[[int], object]]
"""Told what begins and how many steps it has; what it returns is told of each."""

SAMPLE = "sample"
_BATCH_BYTES = 8 * 2**20


def begin_nothing(_what: str, _total: int) -> Callable[[int], object]:
    """Progress that nobody watches."""
    return lambda _done: None


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export made.

    Attributes:
        path: The file or folder.
        format: `hdf5`, `png` or `webdataset`.
        split: The part that was exported.
        samples: Number of samples.
        files: Files that were written.
        bytes: Their size.
        notes: What the format cannot hold, and so left out, a line each.
    """

    path: Path
    format: str
    split: str
    samples: int
    files: int
    bytes: int
    notes: tuple[str, ...] = ()


class Selection:
    """A part of a dataset.

    Attributes:
        dataset: The dataset.
        split: `train`, `validation`, `test` or `all`.
        indices: The samples, ascending, (n,).
        splits: How the dataset is split.
    """

    def __init__(self, dataset: Dataset, split: str = "all") -> None:
        """Choose the samples.

        Raises:
            InputError: There is no such part, or it is empty.
            StorageError: The data cannot be read.
        """
        self.dataset = dataset
        self.split = split
        self.indices: Int[np.ndarray, "n"] = dataset.split(split)
        self.splits = dataset.split_settings()
        if not len(self.indices):
            counts = ", ".join(f"{name} {len(dataset.split(name))}" for name in SPLIT_NAMES)
            raise InputError(
                f"{dataset.path}: split '{split}' is empty ({counts}); choose another, or assign "
                "anew by `crystalvision dataset split`"
            )

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.indices)

    @cached_property
    def columns(self) -> Rows:
        """All numbers of the chosen samples, name → (n,): number, labels, parameters, split."""
        header = self.dataset.header
        stored = {
            name: self.dataset.column(name)
            for name, column in header.columns.items()
            if not column.shape
        }
        rows = {**stored, **self.dataset.split_columns()}
        return {SAMPLE: self.indices, **{name: rows[name][self.indices] for name in rows}}

    @property
    def arrays(self) -> dict[str, Column]:
        """Columns that have an array for each sample."""
        columns = self.dataset.header.columns
        return {name: column for name, column in columns.items() if column.shape}

    @property
    def parts(self) -> list[str]:
        """The part that each chosen sample is in."""
        return [SPLIT_NAMES[number] for number in self.columns[SPLIT]]

    def batches(
        self, advance: Callable[[int], object]
    ) -> Iterator[tuple[range, np.ndarray[Any, Any]]]:
        """The images, a few megabytes at a time: rows of the selection, and images (b, c, *grid).

        Raises:
            StorageError: The data cannot be read, or are damaged.
        """
        header = self.dataset.header
        size = np.dtype(header.dtype).itemsize * int(np.prod(header.image_shape))
        step = max(1, _BATCH_BYTES // size)
        for start in range(0, len(self), step):
            rows = range(start, min(start + step, len(self)))
            yield rows, self.dataset.images(self.indices[rows.start : rows.stop])
            advance(len(rows))
