"""Patterns in memory or on the disk, and batches of them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch.utils import data

from crystalvision.contracts import Target, Targets, grid_of
from crystalvision.datasets import Batch as StoredBatch
from crystalvision.datasets import Dataset, PatternDataset
from crystalvision.errors import InputError
from crystalvision.inputs import Augment, Preprocess, mark_unseen, take_marks
from crystalvision.training._share import Share

_CHUNK = 64  # patterns read at once: raw ones are larger than prepared ones


Inputs = torch.Tensor | dict[str, tuple[torch.Tensor, torch.Tensor]]
Batch = tuple[Inputs, dict[str, torch.Tensor]]
InputT = TypeVar("InputT", bound=Inputs)
InputT_co = TypeVar("InputT_co", bound=Inputs, covariant=True)


class BatchSource(Protocol[InputT_co]):
    """Batches of one pass after the other, each of inputs and of targets by name."""

    def __len__(self) -> int:
        """Number of batches of a pass."""

    def __iter__(self) -> Iterator[tuple[InputT_co, dict[str, torch.Tensor]]]:
        """The batches of the next pass."""


class Patterns(ABC):
    """Patterns with what they should be recognised as, wherever they are."""

    @property
    @abstractmethod
    def targets(self) -> Targets:
        """What each should be recognised as, by name, (n, *shape)."""

    def __len__(self) -> int:
        """Number of patterns."""
        return len(next(iter(self.targets.values())))

    @abstractmethod
    def batches(
        self,
        batch_size: int,
        generator: torch.Generator | None = None,
        share: Share = Share(),  # noqa: B008 - frozen
    ) -> BatchSource[torch.Tensor]:
        """Batches of the patterns, on the CPU.

        Args:
            batch_size: Patterns of a batch; the last one may be smaller. A last batch of one
                pattern is left out when shuffling, since it has no batch statistics.
            generator: Shuffles anew for each pass; without it the order is kept.
            share: What this process takes of each batch.
        """

    @abstractmethod
    def prepare(
        self, images: torch.Tensor, augment: Augment | None = None
    ) -> Float[torch.Tensor, "b c *grid"]:
        """Do what is still to be done to the images of a batch, on the device where they are.

        Args:
            images: As `batches` gives them.
            augment: Changes counts before they are no counts any more.
        """


@dataclass(frozen=True, slots=True)
class PatternsInMemory(Patterns):
    """Patterns that were read once and are kept.

    Attributes:
        counts: Counts as `Preprocess.count` gives them, (n, c, *grid), NaN for what was not seen.
        preprocess: Prepares them.
        targets: What each should be recognised as, by name, (n, *shape).
    """

    counts: Float[torch.Tensor, "n c *grid"]
    preprocess: Preprocess
    targets: Targets

    def batches(
        self,
        batch_size: int,
        generator: torch.Generator | None = None,
        share: Share = Share(),  # noqa: B008 - frozen
    ) -> BatchSource[torch.Tensor]:
        """See `Patterns.batches`."""
        return Batches(self.counts, self.targets, batch_size, generator, share)

    def prepare(self, images: torch.Tensor, augment: Augment | None = None) -> torch.Tensor:
        """Do what follows after the counts."""
        counts, seen = take_marks(images)
        return self.preprocess.finish(counts, augment, seen)


class PatternsOnDisk(Patterns):
    """Patterns that are read batch by batch, by processes that read ahead, and prepared then."""

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
        _check_some(dataset, indices)
        self._targets = read_targets(dataset, indices, targets)
        self._patterns = PatternDataset(dataset, indices, tuple(targets))
        self._preprocess = preprocess
        self._workers = workers

    @property
    def targets(self) -> Targets:
        """See `Patterns.targets`."""
        return self._targets

    def batches(
        self,
        batch_size: int,
        generator: torch.Generator | None = None,
        share: Share = Share(),  # noqa: B008 - frozen
    ) -> BatchSource[torch.Tensor]:
        """See `Patterns.batches`."""
        return _Stored(
            self._patterns.loader(
                batch_size,
                generator=generator,
                workers=self._workers,
                pin_memory=torch.cuda.is_available(),
                take=share.of if generator is None else share.of_training,
            )
        )

    def prepare(self, images: torch.Tensor, augment: Augment | None = None) -> torch.Tensor:
        """Prepare raw counts."""
        counts, seen = take_marks(images)
        prepared: torch.Tensor = self._preprocess(counts, augment, seen)
        return prepared


class _Stored:
    """Batches as a dataset gives them, as images and targets."""

    def __init__(self, loader: "data.DataLoader[StoredBatch]") -> None:
        self._loader = loader

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
        for images, targets, seen in self._loader:
            yield mark_unseen(images, seen), dict(targets)


def open_patterns(
    dataset: Dataset,
    indices: np.ndarray,
    preprocess: Preprocess,
    targets: Mapping[str, Target],
    *,
    on_read: Callable[[int], None] = lambda count: None,
    memory_bytes: int = 2**31,
    workers: int = 0,
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

    Raises:
        InputError: As for `load_patterns`.
    """
    channels = dataset.header.image_shape[0]
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
) -> PatternsInMemory:
    """Read some patterns of a dataset, and do the steps whose results are counts still.

    Args:
        dataset: The dataset.
        indices: Which patterns, (n,).
        preprocess: Prepares them.
        targets: What they should be recognised as, by name.
        on_read: Told how many more have been read.

    Raises:
        InputError: No indices, negative values, or a label that is none of the dataset's classes.
    """
    _check_some(dataset, indices)
    channels = dataset.header.image_shape[0]
    counts = torch.empty((len(indices), channels, *grid_of(preprocess.count_axes)))
    for start in range(0, len(indices), _CHUNK):
        part = indices[start : start + _CHUNK]
        # Sums of counts are exact in float32 up to 2**24.
        raw = torch.from_numpy(dataset.images(part).astype(np.float32))
        if raw.min() < 0:
            raise InputError(
                f"{dataset.path}: samples {part[0]} to {part[-1]} have negative values down to "
                f"{float(raw.min()):g}; expected counts"
            )
        counts[start : start + len(part)] = mark_unseen(
            *preprocess.count(raw, _seen(dataset, part))
        )
        on_read(len(part))
    return PatternsInMemory(counts, preprocess, read_targets(dataset, indices, targets))


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


class Batches(Generic[InputT]):
    """Batches by index from tensors in memory: no worker processes, no copying of single samples.

    Args:
        inputs: Images (n, c, *grid), or features (n, f) and outputs (n, o) of each branch by name.
        targets: What the inputs should be recognised as, by name, (n, *shape).
        batch_size: Samples of a batch; the last one may be smaller. A last batch of one sample is
            left out when shuffling, since it has no batch statistics.
        generator: Shuffles anew for each pass; without it the order is kept.
        share: What this process takes of each batch.
    """

    def __init__(
        self,
        inputs: InputT,
        targets: Targets,
        batch_size: int,
        generator: torch.Generator | None = None,
        share: Share = Share(),  # noqa: B008 - frozen
    ) -> None:
        self._inputs = inputs
        self._targets = targets
        self._batch_size = batch_size
        self._generator = generator
        self._take = share.of if generator is None else share.of_training

    def __len__(self) -> int:
        """Number of batches."""
        count = len(next(iter(self._targets.values())))
        whole, rest = divmod(count, self._batch_size)
        return whole + (rest > (1 if self._generator is not None and whole else 0))

    def __iter__(self) -> Iterator[tuple[InputT, dict[str, torch.Tensor]]]:
        """The batches of one pass."""
        count = len(next(iter(self._targets.values())))
        if self._generator is None:
            order = torch.arange(count)
        else:
            order = torch.randperm(count, generator=self._generator)
        for number in range(len(self)):
            chosen = order[number * self._batch_size : (number + 1) * self._batch_size]
            chosen = chosen[self._take(len(chosen))]
            yield (
                _take(self._inputs, chosen),
                {name: value[chosen] for name, value in self._targets.items()},
            )


def _take(inputs: Any, chosen: torch.Tensor) -> Any:
    if isinstance(inputs, Mapping):
        return {name: _take(item, chosen) for name, item in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(_take(item, chosen) for item in inputs)
    return inputs[chosen]
