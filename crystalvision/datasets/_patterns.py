"""A dataset as torch reads it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Num, Shaped
from torch.utils import data

from crystalvision.datasets._columns import LABEL, SEVERITY
from crystalvision.datasets._dataset import Dataset


class Batch(NamedTuple):
    """Several samples.

    Attributes:
        images: As they are stored, (b, c, *grid).
        targets: What they should be recognised as, by name of the column: (b, *shape).
        seen: Which points were measured, (b, 1 or c, *grid); `None` where all were.
    """

    images: Num[torch.Tensor, "b c *grid"]
    targets: Mapping[str, Shaped[torch.Tensor, "b *shape"]]
    seen: Bool[torch.Tensor, "b channels *grid"] | None = None


class PatternDataset(data.Dataset[tuple[Any, ...]]):
    """Some samples of a dataset: raw images and targets; read when they are asked for.

    Images are as they are stored, usually uint16 counts (c, h, w): a quarter to a half of the bytes
    of what a network sees, which is prepared on the device.

    Attributes:
        dataset: Where the samples are.
        indices: Which they are, (n,).
        names: Names of the targets.
        targets: Those of them that are one number a sample, (n,); arrays are read with the images.
    """

    def __init__(
        self,
        dataset: Dataset,
        indices: Sequence[int] | npt.NDArray[np.int64],
        targets: Sequence[str] | None = None,
    ) -> None:
        """Choose the samples.

        Args:
            dataset: Where they are.
            indices: Which they are, (n,).
            targets: Columns to learn; by default `label` and `severity`, where they are.

        Raises:
            InputError: An index that is no sample, or a column that cannot be learnt.
            StorageError: The data cannot be read.
        """
        self.dataset = dataset
        self.indices = dataset.check_indices(indices)
        header = dataset.header
        if targets is None:
            targets = [name for name in (LABEL, SEVERITY) if name in header.columns]
        self.names = tuple(targets)
        self._classes = {name for name in self.names if header.target(name).classes}
        self.targets = {
            name: self._read(name, self.indices)
            for name in self.names
            if not header.columns[name].shape
        }

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.indices)

    def __getitem__(self, position: int) -> tuple[Any, ...]:
        """Image (c, *grid) and targets (*shape) of a sample, and its mask where there is one."""
        images, targets, seen = self.batch([position])
        sample = images[0], {name: values[0] for name, values in targets.items()}
        return sample if seen is None else (*sample, seen[0])

    def batch(self, positions: Sequence[int]) -> Batch:
        """Several samples, read together."""
        wanted = np.asarray(positions)
        samples = self.indices[wanted]
        seen = self.dataset.seen(samples)
        return Batch(
            torch.from_numpy(self.dataset.images(samples)),
            {name: self._target(name, wanted) for name in self.names},
            None if seen is None else torch.from_numpy(np.ascontiguousarray(seen)),
        )

    def _target(self, name: str, wanted: npt.NDArray[np.int64]) -> Shaped[torch.Tensor, "b *shape"]:
        if name in self.targets:
            return self.targets[name][torch.from_numpy(wanted)]
        return self._read(name, self.indices[wanted])

    def _read(self, name: str, samples: npt.NDArray[np.int64]) -> Shaped[torch.Tensor, "b *shape"]:
        values = torch.from_numpy(self.dataset.column(name, samples))
        return values.long() if name in self._classes else values

    def loader(
        self,
        batch_size: int,
        *,
        generator: torch.Generator | None = None,
        workers: int = 0,
        pin_memory: bool = False,
        take: Callable[[int], slice] = slice,
    ) -> "data.DataLoader[Batch]":
        """Batches of the samples, read together, which is quicker than one by one.

        Args:
            batch_size: Samples of a batch. The last one may be smaller; one of a single sample,
                which has no batch statistics, is left out where the order is drawn.
            generator: Draws the order, anew for each pass; without it the order is kept.
            workers: Processes that read; 0 reads in this one. The batches are the same.
            pin_memory: Whether batches lie where a GPU fetches them quickly.
            take: Which samples to keep of a batch of so many, where several processes share it.
        """
        return data.DataLoader(
            _Batches(self),
            sampler=BatchOrder(len(self), batch_size, generator, take=take),
            batch_size=None,
            num_workers=workers,
            pin_memory=pin_memory,
            persistent_workers=workers > 0,
        )


class _Batches(data.Dataset[Batch]):
    """The batches of a dataset, each by the positions of its samples."""

    def __init__(self, patterns: PatternDataset) -> None:
        self._patterns = patterns

    def __getitem__(self, positions: Sequence[int]) -> Batch:
        return self._patterns.batch(positions)


class BatchOrder(data.Sampler[list[int]]):
    """The positions of each batch's samples, in a drawn order or in their own.

    Args:
        count: Samples of a pass.
        batch_size: Samples of a batch; the last one may be smaller.
        generator: Draws the order, anew for each pass; without it the order is kept.
        take: Which samples to keep of a batch of so many, where several processes share it.
        drop_single: Whether a last batch of one sample, which has no batch statistics, is left out;
            by default where the order is drawn.
        first: Position of the first sample of the pass that begins.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        take: Callable[[int], slice] = slice,
        drop_single: bool | None = None,
        first: Callable[[], int] = lambda: 0,
    ) -> None:
        self._count = count
        self._batch_size = batch_size
        self._generator = generator
        self._take = take
        self._drop_single = generator is not None if drop_single is None else drop_single
        self._first = first

    def __len__(self) -> int:
        """Number of batches."""
        whole, rest = divmod(self._count, self._batch_size)
        return whole + (rest > (1 if self._drop_single and whole else 0))

    def __iter__(self) -> Iterator[list[int]]:
        """The batches of the next pass."""
        order = torch.arange(self._count)
        if self._generator is not None:
            order = torch.randperm(self._count, generator=self._generator)
        order += self._first()
        for number in range(len(self)):
            batch = order[number * self._batch_size : (number + 1) * self._batch_size]
            yield batch[self._take(len(batch))].tolist()
