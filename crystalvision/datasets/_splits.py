"""Which samples train, which choose, which test: the same answer for the same labels, always."""

from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Int, UInt8

from crystalvision.errors import InputError

SPLIT_NAMES = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
VALIDATION_SHARE = 0.1
TEST_SHARE = 0.2


def assign_splits(
    labels: Int[np.ndarray, "n"],
    seed: int = 0,
    validation: float = VALIDATION_SHARE,
    test: float = TEST_SHARE,
) -> UInt8[np.ndarray, "n"]:
    """Assign every sample to a part, each class in the same proportions.

    Within a class the samples are ranked by a hash of (seed, index); the first go to the test part,
    the next to validation, the rest to training. Sizes are rounded over the whole dataset, so that
    small classes do not lose their share.

    Args:
        labels: Class of each sample, (n,).
        seed: Another seed gives another assignment.
        validation: Share of the validation part.
        test: Share of the test part.

    Returns:
        0 for training, 1 for validation, 2 for test, (n,).

    Raises:
        InputError: Shares that are negative, or leave nothing to train on.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise InputError(
            f"shares validation={validation} and test={test} must not be negative and must leave "
            "something to train on: their sum must be less than 1"
        )
    classes, members = np.unique(labels, return_inverse=True)
    sizes = np.bincount(members, minlength=len(classes))
    testing = _quotas(sizes * test, len(labels) * test)
    # What a class gave to the test part beyond its share, it gives less to validation.
    wanted = np.maximum(sizes * (test + validation) - testing, 0)
    held_out = testing + _quotas(wanted, len(labels) * validation)
    order = np.lexsort((_hash(seed, len(labels)), members))
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    parts = np.full(len(labels), TRAIN, dtype=np.uint8)
    parts[rank < held_out[members]] = VALIDATION
    parts[rank < testing[members]] = TEST
    return parts


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


def _hash(seed: int, count: int) -> npt.NDArray[np.uint64]:
    """A well-mixed 64-bit number for each index: SplitMix64 (Steele, Lea and Flood 2014)."""
    state = np.arange(count, dtype=np.uint64) + _mix(np.array([seed % 2**64], dtype=np.uint64))
    return _mix(state)


def _mix(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed: np.ndarray[Any, np.dtype[np.uint64]] = state + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
