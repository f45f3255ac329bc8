"""The numbers of a card."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from crystalvision.datasets import Column, Dataset
from crystalvision.datasets._columns import SPECIMEN
from crystalvision.datasets._splits import SPLIT_NAMES


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """One class.

    Attributes:
        name: Its name.
        severity: Its severity target.
        splits: Samples in training, validation and test.
    """

    name: str
    severity: float
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
        classes: Its classes.
        columns: Its columns.
    """

    name: str
    classes: tuple[ClassCounts, ...]
    columns: tuple[ColumnRange, ...]


def summarise(dataset: Dataset) -> Summary:
    """Count classes and find the ranges of columns.

    Raises:
        StorageError: The data cannot be read.
    """
    header = dataset.header
    labels = dataset.column("label")
    counts = [
        np.bincount(labels[dataset.split(part)], minlength=len(header.class_names))
        for part in SPLIT_NAMES
    ]
    return Summary(
        name=header.name or dataset.path.resolve().stem,
        classes=tuple(
            ClassCounts(name, severity, tuple(int(count[index]) for count in counts))
            for index, (name, severity) in enumerate(
                zip(header.class_names, header.class_severities, strict=True)
            )
        ),
        columns=tuple(
            _range(name, column, dataset.column(name)) for name, column in header.columns.items()
        ),
    )


def _range(name: str, column: Column, values: np.ndarray[Any, Any]) -> ColumnRange:
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not known.size:
        return ColumnRange(name, column, None, None, None)
    low, high = float(known.min()), float(known.max())
    median = None if name in {"label", SPECIMEN} else float(np.median(known))
    return ColumnRange(name, column, low, median, high)
