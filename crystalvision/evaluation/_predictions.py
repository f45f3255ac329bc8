"""Estimates beside the truth, in files: `predictions.csv`, and `predictions.npz` for maps."""

import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import EvaluatedEstimates, Target
from crystalvision.errors import InputError
from crystalvision.evaluation._evaluate import with_groups
from crystalvision.evaluation._record import EvaluatedTarget, Metrics
from crystalvision.storage import read_text
from crystalvision.text import csv_reader, csv_writer

CSV, MAPS = "predictions.csv", "predictions.npz"
_MANY_CLASSES = 64
_MOST_COLUMNS = 16  # numbers of one sample; what has more goes to a file of arrays
Array = np.ndarray[Any, Any]
Columns = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class EvaluatedSamples:
    """What a run said of each judged pattern, and what is true.

    Attributes:
        index: Place of the pattern in its dataset, (n,).
        targets: Estimates of each target beside the truth, by name.
        scores: Of targets of which nothing else was kept, the score of each pattern, (n,), by name.
    """

    index: Int[np.ndarray, "n"]
    targets: Mapping[str, EvaluatedEstimates]
    scores: Mapping[str, Float[np.ndarray, "n"]] = field(default_factory=dict)


def write_predictions(
    index: Int[np.ndarray, "n"],
    judged: Mapping[str, EvaluatedEstimates],
    columns: Mapping[str, Sequence[Any]],
    folder: Path,
) -> None:
    """Write estimates and truth of every target.

    `predictions.csv` has a row for each pattern: `index`, then for each target its truth, under
    its name, and the estimate, `NAME_predicted`, then the probability of each class,
    `NAME_probability_CLASS`, to six places where there are more than 64 classes; the numbers of a
    vector are counted from 0. At last come what tasks say of a pattern, and its specimen, where
    several patterns show one.

    Args:
        index: Place of each pattern in its dataset, (n,).
        judged: Estimates by name of the target.
        columns: What else is said of each pattern, by column.
        folder: Where to write.

    Raises:
        InputError: Two columns of one name.
    """
    table: dict[str, Sequence[Any]] = {"index": index.tolist()}
    maps: dict[str, Array] = {}
    parts: list[Mapping[str, Sequence[Any]]] = []
    for name, each in judged.items():
        if in_table(each.target):
            parts.append(_columns_of(each))
        else:
            small = each.truth.dtype if not each.target.classes else np.int16
            maps |= {name: each.truth.astype(small), f"{name}_predicted": each.value.astype(small)}
    specimen = next(iter(judged.values())).specimen
    if len(np.unique(specimen)) < len(index):
        parts.append({"specimen": specimen.tolist()})
    for part in [*parts, columns]:
        if twice := set(part) & set(table):
            raise InputError(
                f"predictions would have two columns '{min(twice)}'; give a target another name"
            )
        table |= part
    with (folder / CSV).open("w", newline="", encoding="utf-8") as file:
        rows = csv_writer(file)
        rows.writerow(list(table))
        rows.writerows(map(_cell, row) for row in zip(*table.values(), strict=True))
    if maps:
        np.savez_compressed(folder / MAPS, **maps)  # type: ignore[arg-type] # of names to arrays


def read_columns(folder: Path) -> Columns:
    """Everything that `write_predictions` wrote: name → n numbers or texts, or n maps.

    Raises:
        InputError: A file is missing, or damaged.
    """
    path = folder / CSV
    try:
        rows = csv_reader(StringIO(read_text(path), newline="")).mappings()
        columns = {key: _column([row[key] for row in rows]) for key in (rows[0] if rows else ())}
        if (folder / MAPS).is_file():
            with np.load(folder / MAPS, allow_pickle=False) as arrays:
                columns |= dict(arrays)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; evaluate the run again") from error
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not what crystalvision evaluate writes") from error
    return columns


def judged_samples(
    columns: Columns, targets: Mapping[str, EvaluatedTarget], where: str
) -> EvaluatedSamples:
    """Estimates beside the truth, from the columns that `write_predictions` wrote.

    Args:
        columns: The columns.
        targets: What they are of, by name.
        where: Where they are from, for errors.

    Raises:
        InputError: They are not what `crystalvision evaluate` writes.
    """
    try:
        index = columns["index"].astype(np.int64)
        specimen = columns.get("specimen", index).astype(np.int64)
        scores = {
            name: columns[score_column(name)].astype(np.float64)
            for name, each in targets.items()
            if not in_table(each.target) and name not in columns
        }
        judged = {
            name: _estimates_of(each, columns, specimen)
            for name, each in targets.items()
            if name not in scores
        }
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{where} is not what crystalvision evaluate writes ({error}); evaluate the run again"
        ) from error
    return EvaluatedSamples(index, with_groups(judged), scores)


def read_predictions(folder: Path, metrics: Metrics) -> EvaluatedSamples:
    """Read what `write_predictions` wrote.

    Args:
        folder: Of the evaluation.
        metrics: What the `metrics.json` there holds.

    Raises:
        InputError: A file is missing, or not what `crystalvision evaluate` writes.
    """
    found = judged_samples(read_columns(folder), metrics.targets, str(folder / CSV))
    if len(found.index) != metrics.samples:
        raise InputError(
            f"{folder / CSV} has {len(found.index)} predictions, expected {metrics.samples}; "
            "evaluate the run again"
        )
    return found


def in_table(target: Target) -> bool:
    """Whether values of a target stand in a table; those of maps do not."""
    return math.prod(target.shape) <= _MOST_COLUMNS


def score_column(name: str) -> str:
    """Column of a kept copy that has, in place of a target's maps, the score of each pattern."""
    return f"{name}/score"


def _names(name: str, target: Target) -> list[str]:
    """The columns of a value: one, or one for each number of it."""
    return (
        [f"{name}_{place}" for place in range(math.prod(target.shape))] if target.shape else [name]
    )


def _columns_of(judged: EvaluatedEstimates) -> dict[str, list[Any]]:
    target, found = judged.target, dict[str, list[Any]]()
    for name, values in ((target.name, judged.truth), (f"{target.name}_predicted", judged.value)):
        flat = values.reshape(len(judged), -1)
        found |= {each: flat[:, n].tolist() for n, each in enumerate(_names(name, target))}
    if judged.probabilities is not None and not target.shape:
        probabilities = judged.probabilities.astype(np.float64)
        if len(target.classes) > _MANY_CLASSES:  # nearly all of them say no more than that
            probabilities = probabilities.round(6)
        for k, each in enumerate(target.classes):
            found[f"{target.name}_probability_{each}"] = probabilities[:, k].tolist()
    return found


def _estimates_of(
    evaluated: EvaluatedTarget, columns: Columns, specimen: Array
) -> EvaluatedEstimates:
    """Estimates of one target; real values in single precision, as they were made."""
    target, name = evaluated.target, evaluated.name
    kind = np.int64 if target.classes else np.float32
    if in_table(target):
        truth, value = (
            np.stack([columns[key].astype(kind) for key in _names(each, target)], axis=1).reshape(
                -1, *target.shape
            )
            for each in (name, f"{name}_predicted")
        )
    else:
        truth, value = (columns[each].astype(kind) for each in (name, f"{name}_predicted"))
    if not truth.shape == value.shape == (len(specimen), *target.shape):
        raise ValueError(f"'{name}' has the shape {truth.shape}")
    keys = [f"{name}_probability_{each}" for each in target.classes]
    said = [columns[key].astype(np.float32) for key in keys] if set(keys) & set(columns) else []
    probabilities = np.stack(said, axis=1) if said else None
    return EvaluatedEstimates(target, truth, value, probabilities, specimen, evaluated.temperature)


def _column(cells: list[str]) -> Array:
    """Numbers where all cells are, or else text."""
    text = np.array(cells)
    for kind in (np.int64, np.float64):
        try:
            return text.astype(kind)
        except ValueError:
            continue
    return text


def _cell(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
