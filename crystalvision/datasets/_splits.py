"""Which samples train, which choose, which test: the same answer for the same labels, always."""

from collections.abc import Mapping
from functools import lru_cache
from heapq import heappop, heappush
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from jaxtyping import Int, UInt8
from pydantic import Field, model_validator

from crystalvision.config import Config
from crystalvision.datasets._columns import LABEL, SPECIMEN, SPLIT, SUBSET_RANK
from crystalvision.errors import InputError

SPLIT_NAMES = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
VALIDATION_SHARE = 0.1
TEST_SHARE = 0.2
_RANKS = 0x5EED  # so that ranks are not drawn as the parts are


class SplitSettings(Config):
    """How a dataset is split.

    Attributes:
        seed: Another seed gives another assignment.
        validation_share: Share of the validation part.
        test_share: Share of the test part.
    """

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    validation_share: Annotated[float, Field(ge=0, lt=1)] = VALIDATION_SHARE
    test_share: Annotated[float, Field(ge=0, lt=1)] = TEST_SHARE

    @model_validator(mode="after")
    def _leave_something(self) -> Self:
        _check_shares(self.validation_share, self.test_share)
        return self


def split_arrays(
    settings: SplitSettings, samples: int, columns: Mapping[str, np.ndarray[Any, Any]]
) -> dict[str, np.ndarray[Any, Any]]:
    """What a dataset stores of its splits: the part of each sample and its rank there, by array.

    Args:
        settings: How it is split.
        samples: Number of samples.
        columns: `label` and `specimen`, (n,), where the dataset has them; without labels all
            samples count as of one class.
    """
    labels = columns.get(LABEL, np.zeros(samples, dtype=np.int64))
    parts = assign_splits(
        labels,
        settings.seed,
        settings.validation_share,
        settings.test_share,
        columns.get(SPECIMEN),
    )
    return {SPLIT: parts, SUBSET_RANK: rank_in_parts(labels, parts, settings.seed)}


def assign_splits(
    labels: Int[np.ndarray, "n"],
    seed: int = 0,
    validation: float = VALIDATION_SHARE,
    test: float = TEST_SHARE,
    specimens: Int[np.ndarray, "n"] | None = None,
) -> UInt8[np.ndarray, "n"]:
    """Assign every sample to a part, each class in the same proportions.

    Within a class the samples are ranked by a hash of (seed, index); the first go to the test part,
    the next to validation, the rest to training. Sizes are rounded over the whole dataset, so that
    small classes do not lose their share. Samples of one specimen stay together, so that no model
    is tested on a specimen that it has learnt; shares then hold as far as specimens allow.

    Args:
        labels: Class of each sample, (n,).
        seed: Another seed gives another assignment.
        validation: Share of the validation part.
        test: Share of the test part.
        specimens: Number of the specimen that each sample shows, (n,); by default each its own.

    Returns:
        0 for training, 1 for validation, 2 for test, (n,).

    Raises:
        InputError: Shares that are negative, or leave nothing to train on.
    """
    _check_shares(validation, test)
    groups = np.arange(len(labels)) if specimens is None else specimens
    # A specimen counts as of the class of its first sample.
    group, first, member = np.unique(groups, return_index=True, return_inverse=True)
    count = np.bincount(member, minlength=len(group))
    classes, cls = np.unique(labels[first], return_inverse=True)
    sizes = np.bincount(cls, weights=count, minlength=len(classes))
    testing = _quotas(sizes * test, len(labels) * test)
    # What a class gave to the test part beyond its share, it gives less to validation.
    wanted = np.maximum(sizes * (test + validation) - testing, 0)
    held_out = testing + _quotas(wanted, len(labels) * validation)
    order = np.lexsort((_hash(seed, group), cls))
    before = np.cumsum(count[order]) - count[order]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    middle = np.empty(len(group))  # of each specimen's samples, in the row of its class
    middle[order] = before - starts[cls[order]] + count[order] / 2
    parts = np.full(len(group), TRAIN, dtype=np.uint8)
    parts[middle < held_out[cls]] = VALIDATION
    parts[middle < testing[cls]] = TEST
    assigned: UInt8[np.ndarray, "n"] = parts[member]
    return assigned


def rank_in_parts(
    labels: Int[np.ndarray, "n"], parts: UInt8[np.ndarray, "n"], seed: int = 0
) -> Int[np.ndarray, "n"]:
    """Rank the samples of each part so that its first k are a fair choice of it, for every k.

    The choices are nested, and each has the classes in the proportions of the part, to within one
    sample: what a curve of accuracy against the number of training samples needs.

    Args:
        labels: Class of each sample, (n,).
        parts: The part of each sample, (n,).
        seed: Another seed gives another order.

    Returns:
        Rank of each sample within its part, from 0, (n,).
    """
    hashed = _hash(seed ^ _RANKS, np.arange(len(labels)))
    ranks = np.empty(len(labels), dtype=np.int64)
    for part in np.unique(parts):
        here = np.flatnonzero(parts == part)
        in_order = here[np.lexsort((hashed[here], labels[here]))]
        _, sizes = np.unique(labels[here], return_counts=True)
        # The next rank of a class goes to the sample of it that comes next by the hash.
        ranks[in_order] = np.argsort(_interleave(tuple(sizes.tolist())), kind="stable")
    return ranks


@lru_cache(maxsize=len(SPLIT_NAMES))  # who writes splits checks them next
def _interleave(sizes: tuple[int, ...]) -> Int[np.ndarray, "n"]:
    """A sequence of classes, each prefix of which is within one of their proportions, (n,).

    The j-th of a class may come from place (j - 1) n / size on, and must come by j n / size.
    Taking what must come first among what may come solves it: Steiner and Yeomans, Management
    Science 39, 728 (1993).
    """
    total = sum(sizes)
    cls = np.repeat(np.arange(len(sizes)), sizes)
    size = np.repeat(np.array(sizes), sizes)
    number = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # from 0
    earliest = -(-number * total // size)
    latest = (number + 1) * total // size
    order = np.argsort(earliest, kind="stable")
    urgency = (latest * len(sizes) + cls)[order].tolist()  # one number, which heaps compare quickly
    begins = earliest[order].tolist()
    waiting: list[int] = []
    taken: list[int] = []
    coming = 0
    for place in range(1, total + 1):
        while coming < total and begins[coming] <= place:
            heappush(waiting, urgency[coming])
            coming += 1
        taken.append(heappop(waiting))
    sequence = np.array(taken, dtype=np.int64) % len(sizes)
    sequence.flags.writeable = False
    return sequence


def _check_shares(validation: float, test: float) -> None:
    if validation < 0 or test < 0 or validation + test >= 1:
        raise InputError(
            f"shares validation={validation} and test={test} must not be negative and must leave "
            "something to train on: their sum must be less than 1"
        )


def _quotas(exact: npt.NDArray[np.floating[Any]], total: float) -> npt.NDArray[np.int64]:
    """Samples of each class: rounded down, then one more where the remainder is largest."""
    # Floating point makes 0.1 + 0.2 of 10 a little more than 3; the order of equals must not hang
    # on that.
    exact = np.round(exact, 9)
    quotas: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    extra = max(round(total) - int(quotas.sum()), 0)
    largest_first = np.argsort(quotas - exact, kind="stable")
    quotas[largest_first[:extra]] += 1
    return quotas


def _hash(seed: int, ids: Int[np.ndarray, "n"]) -> npt.NDArray[np.uint64]:
    """A well-mixed 64-bit number for each id: SplitMix64 (Steele, Lea and Flood 2014)."""
    return _mix(ids.astype(np.uint64) + _mix(np.array([seed % 2**64], dtype=np.uint64)))


def _mix(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed: np.ndarray[Any, np.dtype[np.uint64]] = state + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
