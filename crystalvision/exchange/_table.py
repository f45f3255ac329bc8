"""Rows of a dataset as text: a line of `labels.csv`, or a JSON object."""

import math
from collections.abc import Iterator
from typing import Any

from crystalvision.errors import InputError
from crystalvision.exchange._selection import Selection

FILE, CLASS = "file", "class"


def check_names(selection: Selection, own: tuple[str, ...]) -> None:
    """Refuse columns whose names the table needs for itself.

    Raises:
        InputError: There is one.
    """
    for name in own:
        if name in selection.dataset.header.columns:
            raise InputError(
                f"{selection.dataset.path}: has a column '{name}', which is what this format calls "
                "something else; use --to hdf5"
            )


def rows_of(selection: Selection) -> Iterator[dict[str, Any]]:
    """Every column of each chosen sample, in Python's own numbers; the split by its name."""
    columns = selection.columns
    for row, part in enumerate(selection.parts):
        values = {name: column[row] for name, column in columns.items()}
        yield {**values, "split": part}


def as_text(value: Any) -> str:
    """A value in a CSV file: the fewest digits from which its type gives it back."""
    if isinstance(value, str):
        return value
    if value.dtype.kind == "b":
        return str(int(value))
    return str(value)


def as_json(value: Any) -> Any:
    """A value in a JSON file, in the fewest digits; what is not finite becomes null."""
    if isinstance(value, str):
        return value
    if value.dtype.kind == "f":
        number = float(str(value))
        return number if math.isfinite(number) else None
    return value.item()
