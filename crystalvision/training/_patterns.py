"""Patterns to learn from and to validate with: in memory, on the disk, or made while it trains."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch.utils import data

from crystalvision.contracts import Target, Targets, grid_of
from crystalvision.datasets import BatchOrder, Dataset, PatternDataset
from crystalvision.errors import InputError
from crystalvision.inputs import Augment, Preprocess, mark_unseen, take_marks
from crystalvision.training._batches import Batch, Batches, BatchSource, batch_order
from crystalvision.training._processes import Share

_CHUNK = 64  # patterns read at once: raw ones are larger than prepared ones
_ALL = Share()


class Patterns(ABC):
    """Patterns with what they should be recognised as, wherever they are.

    Attributes:
        preprocess: Prepares them.
        counted: Whether images of batches are what `Preprocess.count` gives; else they are raw.
    """

    preprocess: Preprocess
    counted: ClassVar[bool] = False

    @property
    @abstractmethod
    def targets(self) -> Targets:
        """What each should be recognised as, by name, (n, *shape)."""

    def __len__(self) -> int:
        """Number of patterns."""
        return len(next(iter(self.targets.values())))

    def begin(self, epoch: int) -> None:  # noqa: B027 - most have nothing to do
        """Told which pass comes next, counted through all phases; most are the same in each."""

    @abstractmethod
    def batches(
        self, batch_size: int, generator: torch.Generator | None = None, share: Share = _ALL
    ) -> BatchSource[torch.Tensor]:
        """Batches of the patterns, on the CPU, NaN for what was not seen: see `batch_order`."""

    def prepare(
        self, images: torch.Tensor, augment: Augment | None = None
    ) -> Float[torch.Tensor, "b c *grid"]:
        """Do what is still to be done to the images of a batch, on the device where they are.

        Args:
            images: As `batches` gives them.
            augment: Changes counts before they are no counts any more.
        """
        counts, seen = take_marks(images)
        rest = self.preprocess.finish if self.counted else self.preprocess
        prepared: torch.Tensor = rest(counts, augment, seen)
        return prepared


@dataclass(frozen=True, slots=True)
class PatternsInMemory(Patterns):
    """Patterns that were read once and are kept.

    Attributes:
        counts: Counts as `Preprocess.count` gives them, (n, c, *grid), NaN for what was not seen;
            or what a network sees.
        preprocess: Prepares them.
        targets: What each should be recognised as, by name, (n, *shape).
        prepared: Whether they are what a network sees already.
    """

    counted = True

    counts: Float[torch.Tensor, "n c *grid"]
    preprocess: Preprocess
    targets: Targets
    prepared: bool = False

    def batches(
        self, batch_size: int, generator: torch.Generator | None = None, share: Share = _ALL
    ) -> BatchSource[torch.Tensor]:
        """See `Patterns.batches`."""
        return Batches(self.counts, self.targets, batch_size, generator, share)

    def prepare(
        self, images: torch.Tensor, augment: Augment | None = None
    ) -> Float[torch.Tensor, "b c *grid"]:
        """See `Patterns.prepare`; what is prepared already has no counts to augment."""
        return images if self.prepared else Patterns.prepare(self, images, augment)


class FetchedPatterns(Patterns):
    """Patterns that processes of their own fetch ahead, batch by batch, from wherever they are.

    Args:
        preprocess: Prepares them.
        workers: How many processes; 0 fetches in this one, between batches.
        spawn: Whether they begin afresh: those that were forked from one that computes may hang.
    """

    def __init__(self, preprocess: Preprocess, workers: int, *, spawn: bool = False) -> None:
        self.preprocess = preprocess
        self._workers = workers
        self._spawn = spawn

    @abstractmethod
    def fetcher(self) -> "data.Dataset[Batch]":
        """Gives a batch by the indices of its samples; sent to the processes."""

    def order(self, batch_size: int, generator: torch.Generator | None, share: Share) -> BatchOrder:
        """Which samples each batch has."""
        return batch_order(len(self), batch_size, generator, share)

    def batches(
        self, batch_size: int, generator: torch.Generator | None = None, share: Share = _ALL
    ) -> BatchSource[torch.Tensor]:
        """See `Patterns.batches`."""
        loader: data.DataLoader[Any] = data.DataLoader(
            self.fetcher(),
            sampler=self.order(batch_size, generator, share),
            batch_size=None,
            num_workers=self._workers,
            multiprocessing_context="spawn" if self._spawn and self._workers else None,
            persistent_workers=self._workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
        return loader


class PatternsOnDisk(FetchedPatterns):
    """Patterns that are read anew in each pass."""

    def __init__(
        self,
        dataset: Dataset,
        indices: np.ndarray,
        preprocess: Preprocess,
        targets: Mapping[str, Target],
        *,
        workers: int = 0,
    ) -> None:
        """Choose the patterns.

        Args:
            dataset: The dataset.
            indices: Which patterns, (n,).
            preprocess: Prepares them.
            targets: What they should be recognised as.
            workers: Processes that read.

        Raises:
            InputError: No indices.
        """
        super().__init__(preprocess, workers)
        _check_some(dataset, indices)
        self._targets = read_targets(dataset, indices, targets)
        self._patterns = PatternDataset(dataset, indices, tuple(targets))

    @property
    def targets(self) -> Targets:
        """See `Patterns.targets`."""
        return self._targets

    def fetcher(self) -> "data.Dataset[Batch]":
        """See `FetchedPatterns.fetcher`."""
        return _Read(self._patterns)


class _Read(data.Dataset[Batch]):
    """Batches of a dataset."""

    def __init__(self, patterns: PatternDataset) -> None:
        self._patterns = patterns

    def __getitem__(self, positions: Sequence[int]) -> Batch:
        images, targets, seen = self._patterns.batch(positions)
        return mark_unseen(images, seen), dict(targets)


def open_patterns(
    dataset: Dataset,
    indices: np.ndarray,
    preprocess: Preprocess,
    targets: Mapping[str, Target],
    *,
    on_read: Callable[[int], None] = lambda count: None,
    memory_bytes: int = 2**31,
    workers: int = 0,
    augmented: bool = True,
) -> Patterns:
    """Patterns of a dataset: in memory, where they fit, or read again for each pass.

    Args:
        dataset: The dataset.
        indices: Which patterns, (n,).
        preprocess: Prepares them.
        targets: What they should be recognised as, by name.
        on_read: Told how many more have been read.
        memory_bytes: What their counts may take.
        workers: Processes that read what does not fit.
        augmented: Whether their counts are changed; if not, what is in memory is prepared once.

    Raises:
        InputError: As for `load_patterns`.
    """
    channels = dataset.header.image_shape[0]
    points = preprocess.channels(channels) * math.prod(grid_of(preprocess.axes))
    if not augmented and len(indices) * points * 4 <= memory_bytes:
        return load_patterns(dataset, indices, preprocess, targets, on_read, prepared=True)
    points = math.prod(grid_of(preprocess.count_axes))
    if len(indices) * channels * points * 4 <= memory_bytes:
        return load_patterns(dataset, indices, preprocess, targets, on_read)
    on_read(len(indices))
    return PatternsOnDisk(dataset, indices, preprocess, targets, workers=workers)


def load_patterns(
    dataset: Dataset,
    indices: np.ndarray,
    preprocess: Preprocess,
    targets: Mapping[str, Target],
    on_read: Callable[[int], None] = lambda count: None,
    *,
    prepared: bool = False,
) -> PatternsInMemory:
    """Read some patterns of a dataset, and do the steps whose results are counts still.

    Args:
        dataset: The dataset.
        indices: Which patterns, (n,).
        preprocess: Prepares them.
        targets: What they should be recognised as, by name.
        on_read: Told how many more have been read.
        prepared: Whether to do all other steps, too: then nothing can be augmented.

    Raises:
        InputError: No indices, values that are no numbers, or a label that is none of the dataset's
            classes.
    """
    _check_some(dataset, indices)
    channels = dataset.header.image_shape[0]
    channels = preprocess.channels(channels) if prepared else channels
    axes = preprocess.axes if prepared else preprocess.count_axes
    counts = torch.empty((len(indices), channels, *grid_of(axes)))
    for start in range(0, len(indices), _CHUNK):
        part = indices[start : start + _CHUNK]
        # Sums of counts are exact in float32 up to 2**24.
        raw = torch.from_numpy(dataset.images(part).astype(np.float32))
        # Negative ones are values, as after dark subtraction; nan would mark what was not seen.
        if not raw.isfinite().all():
            raise InputError(
                f"{dataset.path}: samples {part[0]} to {part[-1]} have values that are no finite "
                "numbers; import them again, with --gap-value nan where nothing was measured"
            )
        counted, seen = preprocess.count(raw, _seen(dataset, part))
        counts[start : start + len(part)] = (
            preprocess.finish(counted, seen=seen) if prepared else mark_unseen(counted, seen)
        )
        on_read(len(part))
    known = read_targets(dataset, indices, targets)
    return PatternsInMemory(counts, preprocess, known, prepared)


def _seen(dataset: Dataset, indices: np.ndarray) -> torch.Tensor | None:
    """Which points of samples were measured, (n, 1 or c, *grid); `None` where all were."""
    seen = dataset.seen(indices)
    return None if seen is None else torch.from_numpy(np.ascontiguousarray(seen))


def _check_some(dataset: Dataset, indices: np.ndarray) -> None:
    if not len(indices):
        raise InputError(f"{dataset.path}: no patterns to read; has it more samples than splits?")


def read_targets(
    dataset: Dataset, indices: np.ndarray, targets: Mapping[str, Target]
) -> dict[str, torch.Tensor]:
    """What samples should be recognised as, by name: int64 for classes, else float32, (n, *shape).

    Raises:
        InputError: A class that the dataset does not have.
    """
    found = {}
    for name, target in targets.items():
        dtype = np.int64 if target.classes else np.float32
        values = np.asarray(dataset.column(name, indices), dtype=dtype)
        # Points of a map may be of no class at all.
        least = 0 if not target.shape else -1
        if target.classes and (values.min() < least or values.max() >= len(target.classes)):
            raise InputError(
                f"{dataset.path}: values of '{name}' from {values.min()} to {values.max()}, but "
                f"there are {len(target.classes)} classes; run: crystalvision dataset verify"
            )
        found[name] = torch.from_numpy(values)
    return found
