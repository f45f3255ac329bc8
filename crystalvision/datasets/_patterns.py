"""A dataset as torch reads it."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Num
from torch.utils import data

from crystalvision.datasets._dataset import Dataset

Sample = tuple[Num[torch.Tensor, "c *grid"], dict[str, torch.Tensor]]
Batch = tuple[Num[torch.Tensor, "b c *grid"], dict[str, torch.Tensor]]


class PatternDataset(data.Dataset[Sample]):
    """Some samples of a dataset: raw image, and targets by name; read when they are asked for.

    Images are as they are stored, usually uint16 counts (c, *grid): a quarter to a half of the
    bytes of what a network sees, which is prepared on the device.

    Attributes:
        dataset: Where the samples are.
        indices: Which they are, (n,).
        targets: What each should be recognised as, by name, (n, *shape): int64 for classes, else
            float32.
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
            targets: What they should be recognised as; by default all that can be learnt.

        Raises:
            InputError: An index that is no sample.
            StorageError: The data cannot be read.
        """
        self.dataset = dataset
        self.indices = dataset.check_indices(indices)
        header = dataset.header
        self.targets = {
            name: torch.from_numpy(
                np.asarray(
                    dataset.column(name),
                    dtype=np.int64 if header.target(name).classes else np.float32,
                )[self.indices]
            )
            for name in (header.targets if targets is None else targets)
        }

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.indices)

    def __getitem__(self, position: int) -> Sample:
        """Image (c, *grid) and targets of one sample."""
        images, targets = self.batch([position])
        return images[0], {name: value[0] for name, value in targets.items()}

    def batch(self, positions: Sequence[int]) -> Batch:
        """Images (b, c, *grid) and targets (b, *shape) of several samples, read together."""
        wanted = np.asarray(positions)
        images = torch.from_numpy(self.dataset.images(self.indices[wanted]))
        chosen = torch.from_numpy(wanted)
        return images, {name: value[chosen] for name, value in self.targets.items()}

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
            sampler=_Chosen(len(self), batch_size, generator, take),
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


class _Chosen(data.Sampler[list[int]]):
    """The positions of each batch's samples, in a drawn order or in their own."""

    def __init__(
        self,
        count: int,
        batch_size: int,
        generator: torch.Generator | None,
        take: Callable[[int], slice],
    ) -> None:
        self._count = count
        self._batch_size = batch_size
        self._generator = generator
        self._take = take

    def __len__(self) -> int:
        whole, rest = divmod(self._count, self._batch_size)
        return whole + (rest > (1 if self._generator is not None and whole else 0))

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.arange(self._count)
        if self._generator is not None:
            order = torch.randperm(self._count, generator=self._generator)
        for number in range(len(self)):
            batch = order[number * self._batch_size : (number + 1) * self._batch_size]
            yield batch[self._take(len(batch))].tolist()
