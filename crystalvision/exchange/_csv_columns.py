"""Columns of numbers in a CSV file, with their units."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Column, is_column_name
from crystalvision.errors import InputError

_BRACKETS = re.compile(r"(?P<name>.*\S)\s*\[(?P<units>[^\]]*)\]")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
# What a name may end in, as in the names of simulated parameters, and the units that it means.
_UNITS = {
    "inv_angstrom": "1/angstrom",
    "angstrom": "angstrom",
    "nm": "nm",
    "um": "um",
    "kev": "keV",
    "ev": "eV",
    "mrad": "mrad",
    "deg": "degree",
    "px": "pixel",
    "electrons": "electron",
    "kelvin": "kelvin",
    "s": "second",
    "percent": "percent",
}

Columns = dict[str, tuple[Column, np.ndarray[Any, Any]]]


def number_columns(
    path: Path,
    table: Mapping[str, Sequence[str]],
    lines: Sequence[int],
    known: Mapping[str, Column],
) -> tuple[Columns, list[str]]:
    """The columns that hold numbers; an empty field is NaN.

    Args:
        path: The file, for errors.
        table: Columns of text, name → (n,).
        lines: The line of each row.
        known: What columns are, where that is known.

    Returns:
        The columns, and the names of those that hold only text.

    Raises:
        InputError: Numbers and text in one column, or a name that a column cannot have.
    """
    columns: Columns = {}
    left_out = []
    for title, texts in table.items():
        numbers = [parse_number(text) for text in texts]
        if all(number is None or text == "" for number, text in zip(numbers, texts, strict=True)):
            left_out.append(title)
            continue
        for number, text, line in zip(numbers, texts, lines, strict=True):
            if number is None:
                raise InputError(
                    f"{path}, line {line}: {title} '{text}' is no number, as others there are; "
                    "mend it, or remove the column"
                )
        name, units = _name_and_units(path, title)
        if name in columns:
            raise InputError(f"{path}: has two columns '{name}'; rename or remove one")
        column = known.get(name) or Column(dtype=_type_of(texts), units=units, description=title)
        columns[name] = column, _values(path, title, texts, column)
    return columns, left_out


def parse_number(text: str) -> float | None:
    """A number, NaN for an empty text, or None for all else; infinity is none."""
    try:
        number = float(text) if text else math.nan
    except ValueError:
        return None
    return None if math.isinf(number) else number


def _name_and_units(path: Path, title: str) -> tuple[str, str]:
    """`thickness [nm]` is `thickness` in nm, and so is `thickness_nm` by its name."""
    found = _BRACKETS.fullmatch(title)
    name = re.sub(r"\W+", "_", found["name"] if found else title, flags=re.ASCII).strip("_")
    if not is_column_name(name):
        raise InputError(
            f"{path}: column '{title}' cannot keep its name; rename it (letters, digits and _, and "
            "none of the names that a dataset uses itself), or remove it"
        )
    if found:
        return name, found["units"].strip() or "1"
    for ending, units in _UNITS.items():
        if name.lower().endswith(f"_{ending}"):
            return name, units
    return name, "1"


def _type_of(texts: Sequence[str]) -> Any:
    return "int64" if all(_INTEGER.fullmatch(text) for text in texts) else "float64"


def _values(path: Path, title: str, texts: Sequence[str], column: Column) -> np.ndarray[Any, Any]:
    dtype = np.dtype(column.dtype)
    if dtype.kind == "f":
        return np.array([parse_number(text) for text in texts], dtype=dtype)
    try:
        return np.array([int(text) for text in texts]).astype(dtype)
    except ValueError as error:
        raise InputError(f"{path}: {title} must hold whole numbers only") from error
