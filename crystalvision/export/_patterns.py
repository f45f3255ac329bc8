"""Raw patterns that an exported file is tried on: real ones, and the extremes of a detector."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError, StorageError
from crystalvision.runs import Run

_REAL = 24
_SATURATED = 65535.0  # the most that 16 bits hold
_MEANS = (0.05, 1.0, 30.0, 1000.0)  # counts a pixel, from a low dose to a long exposure


@dataclass(frozen=True, slots=True)
class TrialPatterns:
    """What a file is tried on.

    Attributes:
        counts: Raw counts, (n, c, *grid), float32.
        source: Where they come from, in words.
        real: How many of them are of a dataset.
    """

    counts: np.ndarray[Any, np.dtype[np.float32]]
    source: str
    real: int

    @property
    def seen(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which of their points are taken for measured when masks are tried, (n, c, *grid).

        All but a block of each pattern, at another place in each, which its middle is in at times.
        """
        seen = np.ones(self.counts.shape, dtype=bool)
        rng = np.random.default_rng(1)
        for mask in seen:
            first = [int(rng.integers(0, size - size // 3)) for size in mask.shape[1:]]
            ends = zip(first, mask.shape[1:], strict=True)
            mask[(slice(None), *(slice(at, at + max(1, size // 3)) for at, size in ends))] = False
        return seen

    @property
    def hidden(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The same counts, NaN for what was not seen."""
        return np.where(self.seen, self.counts, np.float32(np.nan))


def trial_patterns(run: Run, data: Dataset | None = None) -> TrialPatterns:
    """The patterns to try an export of a run on.

    Those of a dataset, spread over all of it, and drawn ones that few datasets hold: nothing at
    all, single electrons, long exposures, saturated pixels.

    Args:
        run: The run.
        data: The dataset; by default that of the training, if it is still where it was.

    Raises:
        InputError: The patterns of `data` have another shape than the run's.
        StorageError: `data` is damaged.
    """
    extremes = np.stack(list(_extremes(run.record.image_shape)))
    if data is not None:
        if data.header.image_shape != run.record.image_shape:
            raise InputError(
                f"{data.path} holds patterns of shape {data.header.image_shape}; {run.path} was "
                f"trained on patterns of {run.record.image_shape}: give -d a "
                "dataset of such patterns"
            )
        return _with(_chosen(data), str(data.path), extremes)
    found, why = _of_training(run)
    if found is None:
        source = f"{len(extremes)} drawn patterns, for {why}; name other data by -d"
        return TrialPatterns(extremes, source, 0)
    return _with(found, run.record.dataset.path, extremes)


def _with(real: np.ndarray[Any, Any], path: str, extremes: np.ndarray[Any, Any]) -> TrialPatterns:
    source = f"{len(real)} patterns of {path} and {len(extremes)} drawn extremes"
    return TrialPatterns(np.concatenate([real, extremes]), source, len(real))


def _of_training(run: Run) -> tuple[np.ndarray[Any, Any] | None, str]:
    """Patterns that the run was trained on, or why there are none."""
    recorded = run.record.dataset
    try:
        dataset = Dataset.open(Path(recorded.path))
        if dataset.identity != recorded.identity:
            return None, f"{recorded.path} is not the dataset that it was trained on any more"
        return _chosen(dataset), ""
    except (InputError, StorageError):
        return None, f"the dataset that it was trained on, {recorded.path}, cannot be read"


def _chosen(dataset: Dataset) -> np.ndarray[Any, Any]:
    """Some patterns, spread over the dataset."""
    places = np.unique(np.linspace(0, len(dataset) - 1, _REAL).round().astype(int))
    return np.asarray(dataset.images(places), dtype=np.float32)


def _extremes(shape: tuple[int, ...]) -> Iterator[np.ndarray[Any, np.dtype[np.float32]]]:
    """Patterns (c, *grid) as detectors give them in extreme cases; the same each time."""
    rng = np.random.default_rng(0)
    zeros = np.zeros(shape, dtype=np.float32)
    yield zeros
    yield zeros + np.float32(_SATURATED)
    spot = zeros.copy()
    spot[(slice(None), *(slice(size // 2, size // 2 + 1) for size in shape[1:]))] = _SATURATED
    yield spot
    places = np.ogrid[tuple(slice(size) for size in shape[1:])]
    for mean in _MEANS:
        # A direct beam on a halo, with reflections at random places.
        squares = [(place - size / 2) ** 2 for place, size in zip(places, shape[1:], strict=True)]
        radius = np.sqrt(sum(squares)) / max(shape[1:])
        expected = mean * np.exp(-6 * radius) + 20 * mean * (rng.random(shape) > 0.98)
        yield rng.poisson(expected).clip(max=_SATURATED).astype(np.float32)
    yield np.where(rng.random(shape) > 0.9, _SATURATED, rng.poisson(3.0, shape)).astype(np.float32)
