"""Data for Lightning: from a dataset, or simulated while it trains, with one interface.

Batches are `(images, targets)`, the targets by name: raw counts on their way, prepared on the
device. Import this module by its own name, because Lightning takes seconds to import.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch.utils import data

from crystalvision.contracts import Augmentation, Target
from crystalvision.datasets import Batch as StoredBatch
from crystalvision.datasets import Dataset, DatasetHeader, PatternDataset
from crystalvision.errors import InputError
from crystalvision.inputs import (
    DEFAULT_INPUT,
    as_parts,
    build_preprocess,
)
from crystalvision.plugins import Catalogue
from crystalvision.sources import Sample, SourceSpec
from crystalvision.training._augment import augmenter, check_augmentations
from crystalvision.training._data import Batch
from crystalvision.training._device import derive
from crystalvision.training._share import Share

_TRAINING, _VALIDATION, _TEST = range(3)


class PatternDataModule(LightningDataModule):
    """What the data modules share: images are prepared and augmented on the device.

    Attributes:
        header: What the data are: targets, image shape, calibration.
        batch_size: Samples of a batch.
        preprocess: Prepares images.
    """

    def __init__(
        self,
        header: DatasetHeader,
        *,
        batch_size: int,
        input: object,  # noqa: A002 - the experiment file's word
        augment: Sequence[Augmentation],
        seed: int,
        catalogue: Catalogue | None,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise InputError(f"batch_size is {batch_size}; expected 1 or more")
        self.header = header
        self.batch_size = batch_size
        self.preprocess = build_preprocess(
            as_parts(input), catalogue or Catalogue.load(), header.axes
        )
        self._generator = torch.Generator().manual_seed(derive(seed, 0, 0))
        check_augmentations(augment, header.image_shape[0], self.preprocess.count_axes)
        self._augment = augmenter(augment, torch.Generator().manual_seed(derive(seed, 0, 1)))

    def on_after_batch_transfer(self, batch: Batch | StoredBatch, dataloader_idx: int) -> Batch:
        """Prepare the images of a batch where they are now, and augment those of training."""
        images, targets, seen = batch if isinstance(batch, StoredBatch) else (*batch, None)
        training = self.trainer is not None and self.trainer.training
        return self.preprocess(images, self._augment if training else None, seen), dict(targets)


class StoredDataModule(PatternDataModule):
    """The splits of a dataset."""

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch_size: int = 32,
        input: object = DEFAULT_INPUT,  # noqa: A002
        augment: Sequence[Augmentation] = (),
        seed: int = 0,
        catalogue: Catalogue | None = None,
        train_size: int | None = None,
        workers: int = 0,
    ) -> None:
        """Choose what is read.

        Args:
            dataset: The dataset.
            batch_size: Samples of a batch.
            input: How images are prepared, as an experiment's `input` says it.
            augment: Changes the counts of training images, in this order.
            seed: Draws the order of the training samples, and their augmentation.
            catalogue: Where the steps of the input are looked up; by default what is installed.
            train_size: Train on only so many samples, a subset with the classes' proportions.
            workers: Processes that read ahead, for each loader.

        Raises:
            InputError: The dataset has no splits, or the images cannot be prepared so.
        """
        super().__init__(
            dataset.header,
            batch_size=batch_size,
            input=input,
            augment=augment,
            seed=seed,
            catalogue=catalogue,
        )
        self._dataset = dataset
        self._train_size = train_size
        self._workers = workers

    def train_dataloader(self) -> "data.DataLoader[Any]":
        """The training split, in another order each pass."""
        return self._loader(self._dataset.split("train", self._train_size), self._generator)

    def val_dataloader(self) -> "data.DataLoader[Any]":
        """The validation split, in order."""
        return self._loader(self._dataset.split("validation"))

    def test_dataloader(self) -> "data.DataLoader[Any]":
        """The test split, in order."""
        return self._loader(self._dataset.split("test"))

    def _loader(
        self, indices: np.ndarray, generator: torch.Generator | None = None
    ) -> "data.DataLoader[Any]":
        return PatternDataset(self._dataset, indices).loader(
            self.batch_size,
            generator=generator,
            workers=self._workers,
            pin_memory=torch.cuda.is_available(),
        )


class OnlineDataModule(PatternDataModule):
    """Samples that are made while a model trains on them: no end of them, and nothing is stored.

    Every epoch has new samples. Validation and test have their own, the same each time. Which they
    are depends on the seed, and not on the number of workers.
    """

    def __init__(
        self,
        spec: SourceSpec,
        *,
        epoch_size: int,
        validation_size: int,
        test_size: int = 0,
        batch_size: int = 32,
        input: object = DEFAULT_INPUT,  # noqa: A002
        augment: Sequence[Augmentation] = (),
        seed: int = 0,
        catalogue: Catalogue | None = None,
        workers: int = 0,
    ) -> None:
        """Choose what is made.

        Args:
            spec: What makes the samples. The seed of its recipe is replaced.
            epoch_size: Samples of an epoch; whole batches of them are made.
            validation_size: Samples of the validation.
            test_size: Samples of the test.
            batch_size: Samples of a batch.
            input: How images are prepared, as an experiment's `input` says it.
            augment: Changes the counts of training images, in this order.
            seed: Draws the samples, and their augmentation.
            catalogue: Where the steps of the input are looked up; by default what is installed.
            workers: Processes that make samples; 0 makes them in this one, by its threads.

        Raises:
            InputError: The recipe cannot be made, or an epoch is smaller than a batch.
        """
        if epoch_size < batch_size:
            raise InputError(
                f"epoch_size is {epoch_size}; expected at least a batch of {batch_size} samples"
            )
        whole = epoch_size - epoch_size % batch_size
        sizes = (whole, validation_size, test_size)
        self._parts = [_Draws(spec, seed, part, size) for part, size in enumerate(sizes)]
        super().__init__(
            self._parts[_TRAINING](0).open().header,
            batch_size=batch_size,
            input=input,
            augment=augment,
            seed=seed,
            catalogue=catalogue,
        )
        self._workers = workers
        self._kept: dict[int, list[Any]] = {}

    def train_dataloader(self) -> "data.DataLoader[Any]":
        """New samples for each pass."""
        trainer = self.trainer
        first_epoch, share = 0, Share()
        if trainer is not None:  # it may go on, ask for a loader each epoch, and be one of several
            first_epoch = trainer.current_epoch
            share = Share(trainer.global_rank, trainer.world_size)
        batches = self._parts[_TRAINING].size // self.batch_size
        if batches < share.size:
            raise InputError(
                f"an epoch has {batches} batches for {share.size} processes; raise epoch_size to "
                f"at least {share.size * self.batch_size}"
            )
        return data.DataLoader(
            _SimulatedBatches(self._parts[_TRAINING], self.batch_size, first_epoch, share),
            batch_size=None,
            num_workers=self._workers,
            # Processes that were forked from one that computes may hang.
            multiprocessing_context="spawn" if self._workers else None,
            persistent_workers=self._workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> "data.DataLoader[Any]":
        """The samples of the validation, made once and kept."""
        return self._fixed(_VALIDATION)

    def test_dataloader(self) -> "data.DataLoader[Any]":
        """The samples of the test, made once and kept."""
        return self._fixed(_TEST)

    def _fixed(self, part: int) -> "data.DataLoader[Any]":
        if part not in self._kept:
            self._kept[part] = list(_SimulatedBatches(self._parts[part], self.batch_size))
        return data.DataLoader(_Kept(self._kept[part]), batch_size=None)


@dataclass(frozen=True, slots=True)
class _Draws:
    """Which samples each epoch of a part of the data has."""

    spec: SourceSpec
    seed: int
    part: int
    size: int

    def __call__(self, epoch: int) -> SourceSpec:
        """What makes the samples of an epoch."""
        return self.spec.drawn(seed=derive(self.seed, self.part, epoch), samples=self.size)


class _SimulatedBatches(data.IterableDataset[Batch]):
    """Batches that are made, new ones for each pass.

    Each worker makes every so manyeth batch, and the loader takes from one after the other: the
    batches come in the same order, however many workers there are. Of several processes that train
    together each has every so manyeth batch, and all have as many.
    """

    def __init__(
        self, draws: _Draws, batch_size: int, epoch: int = 0, share: Share | None = None
    ) -> None:
        self._draws = draws
        self._batch_size = batch_size
        self._epoch = epoch
        self._share = share or Share()

    def __len__(self) -> int:
        return math.ceil(self._draws.size / self._batch_size) // self._share.size

    def __iter__(self) -> Iterator[Batch]:
        worker = data.get_worker_info()
        spec = self._draws(self._epoch)
        self._epoch += 1
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        if worker is not None:
            spec = replace(spec, threads=1)
        rank, size = self._share.rank, self._share.size
        batches = [self._indices(rank + size * place) for place in range(first, len(self), step)]
        source = spec.open()
        targets = source.header.targets.values()
        samples = source.samples(index for batch in batches for index in batch)
        for batch in batches:
            made = list(islice(samples, len(batch)))
            yield (
                torch.from_numpy(np.stack([sample.image for sample in made])),
                {target.name: _stacked(target, made) for target in targets},
            )

    def _indices(self, batch: int) -> range:
        start = batch * self._batch_size
        return range(start, min(start + self._batch_size, self._draws.size))


def _stacked(target: Target, samples: Sequence[Sample]) -> torch.Tensor:
    """What samples should be recognised as, (b, *shape)."""
    dtype = np.int64 if target.classes else np.float32
    return torch.from_numpy(
        np.stack([np.asarray(sample.columns[target.name], dtype=dtype) for sample in samples])
    )


class _Kept(data.Dataset[Batch]):
    """Batches that were made."""

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> Batch:
        return self._batches[number]
