"""Patterns that are made while a system trains: new ones each epoch, whoever makes them.

Epoch e, counted through all phases, has the samples e·n to (e+1)·n of one seed, which is none of
the data that the system is validated and tested on. So what is learnt depends neither on how many
processes make the samples, nor on where a training was stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch.utils import data

from crystalvision.config import Config
from crystalvision.contracts import Axis, Target, Targets
from crystalvision.datasets import BatchOrder, Dataset, DatasetHeader, Simulated, same_things
from crystalvision.errors import InputError
from crystalvision.inputs import Preprocess, mark_unseen
from crystalvision.plugins import Catalogue
from crystalvision.ranges import MAX_SAMPLES
from crystalvision.sources import Sample, Source, SourceSpec, open_once
from crystalvision.training._batches import Batch, batch_order
from crystalvision.training._machine import derive
from crystalvision.training._patterns import FetchedPatterns
from crystalvision.training._processes import Share

_SEED = 7  # what the seed of the samples is derived by
_TRIES = 100
_FEW = 4  # values that are quoted: of more, how many there are


@dataclass(frozen=True, slots=True)
class Online:
    """What makes the samples of a training.

    Attributes:
        spec: The source.
        samples: Samples of an epoch.
        workers: Processes that make them; 0 makes them in this one, by its threads.
    """

    spec: SourceSpec
    samples: int
    workers: int = 0

    def drawn(
        self, dataset: Dataset, epochs: int, seed: int, catalogue: Catalogue | None = None
    ) -> "OnlineSamples":
        """What makes the samples of all epochs, checked against a dataset of its kind.

        Args:
            dataset: What the system is validated and tested on.
            epochs: Epochs of all phases.
            seed: The experiment's seed, from which that of the samples is derived.
            catalogue: Where the source is looked up; by default it is loaded anew.

        Raises:
            InputError: The samples are not like those of the dataset, or are none that are drawn.
        """
        if not self.samples >= 2 or self.samples * epochs > MAX_SAMPLES:
            raise InputError(
                f"{self.samples} samples an epoch, for {epochs} epochs: expected 2 or more an "
                f"epoch, and {MAX_SAMPLES:,} at most in all"
            )
        known = dataset.header.origins.values()
        for number in range(_TRIES):
            drawn = derive(seed, _SEED, number) >> 32  # 31 bits: any recipe takes them
            spec = self.spec.drawn(seed=drawn, samples=self.samples * epochs)
            source = spec.open(catalogue)
            made = source.header.provenance
            if not isinstance(made, Simulated) or made.things is None:
                raise InputError(
                    f"source '{spec.name}' does not say what its samples are drawn from: its "
                    "header's provenance has no seed, so no epoch is known to have new ones"
                )
            if not any(same_things(made, other) for other in known):
                _check_like(source.header, dataset)
                return OnlineSamples(self, spec, source)
        raise InputError(f"source '{spec.name}' draws the same samples whatever the seed")


@dataclass(frozen=True, slots=True)
class OnlineSamples:
    """The samples of a training.

    Attributes:
        online: What was asked for.
        spec: The source with its seed, and with the samples of all epochs.
        source: The same, open.
    """

    online: Online
    spec: SourceSpec
    source: Source

    @property
    def made(self) -> Simulated:
        """Where the samples come from."""
        provenance = self.source.header.provenance
        assert isinstance(provenance, Simulated)  # noqa: S101 - `drawn` has checked it
        return provenance


class OnlinePatterns(FetchedPatterns):
    """Patterns of a source, new ones for each pass to learn from; others see those of epoch 0."""

    def __init__(
        self, made: OnlineSamples, preprocess: Preprocess, targets: Mapping[str, Target]
    ) -> None:
        """Choose the patterns.

        Args:
            made: What makes them.
            preprocess: Prepares them.
            targets: What they should be recognised as, by name.
        """
        super().__init__(preprocess, made.online.workers, spawn=True)
        self._made = made
        self._wanted = dict(targets)
        self._epoch = 0

    def __len__(self) -> int:
        """Number of patterns of an epoch."""
        return self._made.online.samples

    @cached_property
    def targets(self) -> Targets:
        """See `Patterns.targets`: those of epoch 0."""
        samples = list(self._made.source.samples(range(len(self))))
        return {name: stacked(target, samples) for name, target in self._wanted.items()}

    def begin(self, epoch: int) -> None:
        """See `Patterns.begin`."""
        self._epoch = epoch

    def fetcher(self) -> "data.Dataset[Batch]":
        """See `FetchedPatterns.fetcher`."""
        return _Samples(self._made, self._wanted, in_this_process=self._made.online.workers == 0)

    def order(self, batch_size: int, generator: torch.Generator | None, share: Share) -> BatchOrder:
        """See `FetchedPatterns.order`: samples that are new need no shuffling."""
        return batch_order(
            len(self),
            batch_size,
            generator,
            share,
            drawn=False,
            first=lambda: self._epoch * len(self) if generator is not None else 0,
        )


class _Samples(data.Dataset[Batch]):
    """Makes the samples of a batch, by their indices."""

    def __init__(
        self, made: OnlineSamples, targets: Mapping[str, Target], *, in_this_process: bool
    ) -> None:
        self._source = made.source if in_this_process else None
        self._spec = made.spec if in_this_process else replace(made.spec, threads=1)
        self._targets = dict(targets)
        seen = made.source.header.seen_mask()
        self._seen = None if seen is None else torch.from_numpy(seen)

    def __getitem__(self, indices: Sequence[int]) -> Batch:
        source = self._source or open_once(self._spec)
        samples = list(source.samples(indices))
        images = torch.from_numpy(np.stack([sample.image for sample in samples]))
        if self._seen is not None:
            images = mark_unseen(images.float(), self._seen.expand(len(images), *self._seen.shape))
        return images, {name: stacked(target, samples) for name, target in self._targets.items()}


def stacked(target: Target, samples: Sequence[Sample]) -> torch.Tensor:
    """What samples should be recognised as, (b, *shape): int64 for classes, else float32."""
    dtype = np.int64 if target.classes else np.float32
    values = [np.asarray(sample.columns[target.name], dtype=dtype) for sample in samples]
    return torch.from_numpy(np.stack(values))


def _check_like(made: DatasetHeader, dataset: Dataset) -> None:
    """Check that samples that are made are like those of a dataset.

    Raises:
        InputError: They have another shape, other axes or other targets.
    """
    header = dataset.header
    differences = [
        *_differences("images", {"shape": made.image_shape}, {"shape": header.image_shape}),
        *_differences("axes", {"order": _order(made)}, {"order": _order(header)}),
        *_differences("axis", _by_name(made.axes), _by_name(header.axes)),
        *_differences("target", _to_learn(made), _to_learn(header)),
    ]
    if differences:
        more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
        raise InputError(
            f"samples made while it trains would not be like those of {dataset.path}, which it is "
            f"validated on: {differences[0]}{more}; change the recipe, or simulate the dataset anew"
        )


def _order(header: DatasetHeader) -> str:
    return ", ".join(axis.name for axis in header.axes)


def _by_name(axes: Sequence[Axis]) -> dict[str, str]:
    return {
        axis.name: f"{axis.size} points from {axis.offset:g} by {axis.scale:g} {axis.units}"
        for axis in axes
    }


def _to_learn(header: DatasetHeader) -> dict[str, Target]:
    """What samples are to be recognised as; which elements a class has is none of it."""
    return {
        name: target.model_copy(update={"class_elements": ()})
        for name, target in header.targets.items()
    }


def _differences(kind: str, made: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """What differs, in words: the made one first."""
    found = [f"there is no {kind} '{name}'" for name in there if name not in made]
    found += [f"{kind} '{name}' is not in the dataset" for name in made if name not in there]
    for name in made:
        if name in there and made[name] != there[name]:
            found.append(f"{kind} '{name}' {_other_values(made[name], there[name])}")
    return found


def _other_values(mine: Any, other: Any) -> str:
    """How two things of one kind differ: two values, or the first field that differs."""
    if not isinstance(mine, Config):
        return f"is {mine}, there {other}"
    name = next(
        name for name in type(mine).model_fields if getattr(mine, name) != getattr(other, name)
    )
    values = (getattr(one, name) for one in (mine, other))
    mine, other = (
        f"{len(one)} of them" if isinstance(one, tuple) and len(one) > _FEW else one
        for one in values
    )
    same = ", but others" if mine == other else ""
    return f"has {name} {mine}, there {other}{same}"
