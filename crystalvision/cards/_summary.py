"""The numbers of a card."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from crystalvision.datasets import LABEL, SPECIMEN, SPLIT_NAMES, Column, Dataset

_CHUNK = 256  # samples whose arrays are in memory at once


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """One class.

    Attributes:
        name: Its name.
        severity: Its severity, where classes have one.
        splits: Samples in training, validation and test.
    """

    name: str
    severity: float | None
    splits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnRange:
    """The values of one column.

    Attributes:
        name: Its name.
        column: Its type, units and description.
        low: Least value; None where no value is a number.
        median: Median; None for numbers that are names.
        high: Greatest value.
    """

    name: str
    column: Column
    low: float | None
    median: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a card tells in numbers.

    Attributes:
        name: The recipe's name, or that of the folder.
        splits: Samples in training, validation and test.
        classes: Its classes, if it has any.
        columns: Its columns.
    """

    name: str
    splits: tuple[int, ...]
    classes: tuple[ClassCounts, ...]
    columns: tuple[ColumnRange, ...]


def summarise(dataset: Dataset) -> Summary:
    """Count classes and find the ranges of columns.

    Raises:
        StorageError: The data cannot be read.
    """
    header = dataset.header
    parts = [dataset.split(part) for part in SPLIT_NAMES]
    return Summary(
        name=str(header.recipe.get("name") or dataset.path.resolve().stem),
        splits=tuple(map(len, parts)),
        classes=tuple(_classes(dataset, parts)),
        columns=tuple(_range(dataset, name, column) for name, column in header.columns.items()),
    )


def _classes(dataset: Dataset, parts: Sequence[Int[np.ndarray, "n"]]) -> Iterator[ClassCounts]:
    names = dataset.header.class_names
    if not names:
        return
    labels = dataset.column(LABEL)
    counts = [np.bincount(labels[part], minlength=len(names)) for part in parts]
    severities = dataset.header.class_severities or (None,) * len(names)
    for index, (name, severity) in enumerate(zip(names, severities, strict=True)):
        yield ClassCounts(name, severity, tuple(int(count[index]) for count in counts))


def _range(dataset: Dataset, name: str, column: Column) -> ColumnRange:
    """The range of a column; of arrays, which are read a few at a time, without the median."""
    if column.shape:
        ends = [
            _ends(dataset.column(name, np.arange(start, min(start + _CHUNK, len(dataset)))))
            for start in range(0, len(dataset), _CHUNK)
        ]
        known = np.array([each for each in ends if each])
        if not known.size:
            return ColumnRange(name, column, None, None, None)
        return ColumnRange(name, column, float(known.min()), None, float(known.max()))
    values = dataset.column(name)
    found = _ends(values)
    if not found:
        return ColumnRange(name, column, None, None, None)
    median = None if column.classes or name == SPECIMEN else float(np.median(_known(values)))
    return ColumnRange(name, column, found[0], median, found[1])


def _ends(values: np.ndarray[Any, Any]) -> tuple[float, float] | None:
    known = _known(values)
    return (float(known.min()), float(known.max())) if known.size else None


def _known(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values
