"""The patterns that a card's figure shows: the first of each class, or of all where none is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crystalvision.datasets import Dataset

CLASSES_SHOWN = 36
_ACROSS = 6  # patterns in a row


@dataclass(frozen=True, slots=True)
class Shown:
    """Patterns of each class.

    Attributes:
        names: What stands above each class.
        images: Of each class its patterns, (n, c, *grid).
        seen: Which of their points were measured, (n, 1 or c, *grid); `None` where all were.
        each: Patterns that a class may have.
        left_out: What to say of classes that are not shown; "" if all are.
    """

    names: tuple[str, ...]
    images: tuple[np.ndarray[Any, Any], ...]
    seen: tuple[np.ndarray[Any, Any] | None, ...]
    each: int
    left_out: str


def choose_patterns(dataset: Dataset) -> Shown:
    """Read the first patterns of each class.

    Raises:
        StorageError: The data cannot be read.
    """
    header = dataset.header
    if not header.class_names:
        first = np.arange(min(_ACROSS, len(dataset)))
        title = f"first of {len(dataset):,} samples"
        return Shown((title,), (dataset.images(first),), (dataset.seen(first),), len(first), "")
    classes = range(min(len(header.class_names), CLASSES_SHOWN))
    labels = dataset.column("label")
    most = _ACROSS if len(classes) <= 4 else 3 if len(classes) <= 10 else 1
    each = min(most, int(np.bincount(labels).max()))
    rows = [np.flatnonzero(labels == index)[:each] for index in classes]
    left_out = ""
    if len(classes) < len(header.class_names):
        left_out = f"; {len(classes)} of {len(header.class_names)} classes"
    return Shown(
        tuple(_titles(header.class_names, header.class_severities, each))[: len(classes)],
        tuple(dataset.images(chosen) for chosen in rows),
        tuple(dataset.seen(chosen) for chosen in rows),
        each,
        left_out,
    )


def _titles(names: Sequence[str], severities: Sequence[float], each: int) -> Sequence[str]:
    if each == 1 or not severities:
        return names
    return [f"{name}  (severity {value:g})" for name, value in zip(names, severities, strict=True)]
