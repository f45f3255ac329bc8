"""Data for Lightning, with the batches that `crystalvision train` has.

Batches are `(images, targets)`, the targets by name: raw counts on their way, prepared on the
device. Import this module by its own name, because Lightning takes seconds to import.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from lightning.pytorch import LightningDataModule

from crystalvision.contracts import Augmentation
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.inputs import as_parts, build_preprocess
from crystalvision.plugins import Catalogue
from crystalvision.ranges import MAX_SAMPLES
from crystalvision.training._augment import augmenter, check_augmentations
from crystalvision.training._batches import Batch, BatchSource
from crystalvision.training._machine import derive
from crystalvision.training._online import Online, OnlinePatterns
from crystalvision.training._patterns import Patterns, open_patterns
from crystalvision.training._processes import Share

_USUAL = ("label", "severity")
_MOST_EPOCHS = 10_000


class PatternDataModule(LightningDataModule):
    """The splits of a dataset; or new samples each epoch to learn from, and its others to judge by.

    Which samples a batch has, and how they are augmented, follows from the seed and the epoch, not
    from the number of workers, nor from where a training was stopped. Of processes that train
    together each learns from its part of every batch; each validates and tests on all.

    Attributes:
        dataset: The dataset.
        batch_size: Samples of a batch.
        preprocess: Prepares images.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        input: object,  # noqa: A002 - the experiment file's word
        batch_size: int = 32,
        targets: Sequence[str] | None = None,
        augment: Sequence[Augmentation] = (),
        seed: int = 0,
        catalogue: Catalogue | None = None,
        online: Online | None = None,
        train_size: int | None = None,
        memory_bytes: int = 2**31,
        workers: int = 0,
    ) -> None:
        """Choose what is read, and what is made.

        Args:
            dataset: The dataset.
            input: How images are prepared, as an experiment's `input` says it.
            batch_size: Samples of a batch.
            targets: Columns to learn; by default `label` and `severity`, where they are.
            augment: Changes the counts of training images, in this order.
            seed: Draws the order of the training samples, their augmentation, and new ones.
            catalogue: Where parts are looked up; by default what is installed.
            online: What makes the samples to learn from, instead of the split `train`.
            train_size: Train on only so many samples, a subset with the classes' proportions.
            memory_bytes: What counts of a split may take; one that takes more is read in each pass.
            workers: Processes that read it.

        Raises:
            InputError: The dataset has no splits or targets, the images cannot be prepared so, or
                samples that are made are not like its own.
        """
        super().__init__()
        if batch_size < 1:
            raise InputError(f"batch_size is {batch_size}; expected 1 or more")
        catalogue = catalogue or Catalogue.load()
        header = dataset.header
        self.dataset = dataset
        self.batch_size = batch_size
        self.preprocess = build_preprocess(as_parts(input), catalogue, header.axes)
        names = [name for name in _USUAL if name in header.columns] if targets is None else targets
        self._targets = {name: header.target(name) for name in names}
        self._seed = seed
        self._order = torch.Generator()
        self._draws = torch.Generator()
        check_augmentations(augment, header.image_shape[0], self.preprocess.count_axes)
        self._augment = augmenter(augment, self._draws)
        self._train_size = train_size
        self._memory_bytes = memory_bytes
        self._workers = workers
        self._patterns: dict[str, Patterns] = {}
        self._passes = 0
        if online is not None:
            epochs = min(_MOST_EPOCHS, MAX_SAMPLES // online.samples)
            drawn = online.drawn(dataset, epochs, seed, catalogue)
            self._patterns["train"] = OnlinePatterns(drawn, self.preprocess, self._targets)

    def train_dataloader(self) -> BatchSource[torch.Tensor]:
        """What is learnt from, in another order each pass, or new in each."""
        patterns = self._of("train")
        batches = patterns.batches(self.batch_size, self._order, self._share)
        return _Passes(batches, lambda: self._begin(patterns))

    def val_dataloader(self) -> BatchSource[torch.Tensor]:
        """The validation split, in order."""
        return _Passes(self._of("validation").batches(self.batch_size))

    def test_dataloader(self) -> BatchSource[torch.Tensor]:
        """The test split, in order."""
        return _Passes(self._of("test").batches(self.batch_size))

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Prepare the images of a batch where they are now, and augment those of training."""
        images, targets = batch
        assert isinstance(images, torch.Tensor)  # noqa: S101 - loaders give no features, for mypy
        trainer = self.trainer
        training = trainer is not None and trainer.training
        testing = trainer is not None and trainer.testing
        patterns = self._of("train" if training else "test" if testing else "validation")
        return patterns.prepare(images, self._augment if training else None), targets

    def _of(self, split: str) -> Patterns:
        """The patterns of a split, opened when they are first asked for."""
        if split not in self._patterns:
            size = self._train_size if split == "train" else None
            self._patterns[split] = open_patterns(
                self.dataset,
                self.dataset.split(split, size),
                self.preprocess,
                self._targets,
                memory_bytes=self._memory_bytes,
                workers=self._workers,
            )
        return self._patterns[split]

    @property
    def _share(self) -> Share:
        trainer = self.trainer
        return Share() if trainer is None else Share(trainer.global_rank, trainer.world_size)

    def _begin(self, patterns: Patterns) -> None:
        """Begin a pass: its order, its augmentation, and its samples, if they are made for it."""
        epoch = self._passes if self.trainer is None else self.trainer.current_epoch
        self._passes += 1
        self._order.manual_seed(derive(self._seed, 0, epoch))
        self._draws.manual_seed(derive(self._seed, 1, epoch, self._share.rank))
        patterns.begin(epoch)


class _Passes:
    """Batches of one pass after the other; no `DataLoader`, whose order Lightning would replace."""

    def __init__(
        self, batches: BatchSource[torch.Tensor], begin: Callable[[], None] = lambda: None
    ) -> None:
        self._batches = batches
        self._begin = begin

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
        self._begin()
        yield from self._batches
