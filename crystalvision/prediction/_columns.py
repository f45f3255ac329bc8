"""Predictions as columns of a table: one value a pattern, whatever the targets are."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from crystalvision.prediction._predictions import Estimates, Predictions

Array = np.ndarray[Any, Any]
Grouped = Mapping[str, Array | dict[str, Array]]
"""Values (n,) or (n, m) by name; those of each class, (n,), as a mapping of their own."""


def grouped_columns(said: Predictions) -> Grouped:
    """Columns by name, those of each class together; of maps there is none, see `map_arrays`.

    A class is its name. `NAME_probability` are those of its classes, `NAME_spread` is what a system
    expects its value to be off, and of several answers there are `NAME_std`,
    `NAME_probability_std`, `NAME_entropy_nat` and `NAME_mutual_information_nat`.
    """
    columns: dict[str, Array | dict[str, Array]] = {}
    for name, each in said.items():
        if len(each.target.shape) < 2 and not (each.target.shape and each.target.classes):
            columns |= _of_target(name, each)
    if said.novelty is not None:
        columns["novelty"] = said.novelty
        columns["unlike_training_data"] = said.novelty > 1
    if (undecided := said.undecided) is not None:
        columns["undecided"] = undecided
    return columns


def _of_target(name: str, said: Estimates) -> dict[str, Array | dict[str, Array]]:
    classes, answers = said.target.classes, said.answers
    value: Array | dict[str, Array] | None = said.value
    if said.target.components:
        value = _by_class(said.value, said.target.components)
    columns: dict[str, Array | dict[str, Array] | None] = {
        name: np.array(said.names, dtype=object) if classes else value,
        f"{name}_probability": _by_class(said.probabilities, classes),
        f"{name}_spread": said.spread,
    }
    if answers is not None:
        columns |= {
            f"{name}_std": answers.value_std,
            f"{name}_probability_std": _by_class(answers.probability_std, classes),
            f"{name}_entropy_nat": answers.entropy,
            f"{name}_mutual_information_nat": answers.mutual_information,
        }
    return {key: values for key, values in columns.items() if values is not None}


def _by_class(values: Array | None, classes: tuple[str, ...]) -> dict[str, Array] | None:
    return None if values is None else dict(zip(classes, values.T, strict=True))


def flat_columns(said: Predictions) -> dict[str, Array]:
    """The same with one number or text a pattern: `label_probability_NAME`, `orientation_0`."""
    flat: dict[str, Array] = {}
    for key, values in grouped_columns(said).items():
        if isinstance(values, dict):
            flat |= {f"{key}_{name}": each for name, each in values.items()}
        elif values.ndim > 1:
            flat |= {f"{key}_{number}": each for number, each in enumerate(values.T)}
        else:
            flat[key] = values
    return flat


def map_arrays(said: Predictions) -> dict[str, Array]:
    """What no table can hold: maps (n, *shape), and their probabilities (n, k, *shape), by name."""
    arrays: dict[str, Array] = {}
    for name, each in said.items():
        if len(each.target.shape) > 1 or (each.target.shape and each.target.classes):
            arrays[name] = each.value
            for part in ("probabilities", "spread"):
                if (values := getattr(each, part)) is not None:
                    arrays[f"{name}_{part}"] = values
    return arrays
