"""Writes predictions as a table, as CSV, and as what becomes JSON."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from crystalvision.console import err, out
from crystalvision.text import csv_writer, json_text

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.prediction import Estimates, Predictions

_SHARES, _LEAST_SHARE = 5, 0.05

Row = dict[str, object]
Columns = Mapping[str, Sequence[object]]
"""What else is told of each pattern: name → a value of each."""


def as_json(
    names: Sequence[str],
    said: "Predictions",
    conditions: object,
    more: Columns = MappingProxyType({}),
) -> dict[str, object]:
    """What becomes JSON: one mapping for each pattern, and what holds for all."""
    return {
        "sources": dict(said.sources),
        "calibrated": said.calibrated,
        "conditions": conditions,
        "predictions": [
            {**row, **{key: values[place] for key, values in more.items()}}
            for place, row in enumerate(rows(names, said))
        ],
    }


def rows(names: Sequence[str], said: "Predictions") -> list[Row]:
    """One mapping for each pattern."""
    from crystalvision.prediction import grouped_columns

    columns = grouped_columns(said)
    return [
        {"image": name, **{key: _at(values, place) for key, values in columns.items()}}
        for place, name in enumerate(names)
    ]


def _at(values: Any, place: int) -> object:
    if isinstance(values, Mapping):
        return {name: _at(each, place) for name, each in values.items()}
    value = values[place]
    return value.tolist() if hasattr(value, "tolist") else value


def as_csv(names: Sequence[str], said: "Predictions", more: Columns = MappingProxyType({})) -> str:
    """A line of headings, and one for each pattern."""
    from crystalvision.prediction import flat_columns

    columns = flat_columns(said)
    table = io.StringIO()
    writer = csv_writer(table)
    writer.writerow(["image", *columns, *more])
    for place, name in enumerate(names):
        values = [_at(each, place) for each in columns.values()]
        values += [_in_a_cell(each[place]) for each in more.values()]
        cells = [f"{value:.6g}" if isinstance(value, float) else value for value in values]
        writer.writerow([name, *cells])
    return table.getvalue()


def _in_a_cell(value: object) -> object:
    """A value as CSV has it: what has parts as JSON."""
    return json_text(value) if isinstance(value, Mapping | list) else value


def write_predictions(
    path: Path,
    names: Sequence[str],
    said: "Predictions",
    conditions: object,
    more: Columns = MappingProxyType({}),
) -> None:
    """Write a file of CSV or JSON, and beside it one of maps, where there are any.

    Raises:
        StorageError: The disk refuses.
    """
    import numpy as np

    from crystalvision.prediction import map_arrays
    from crystalvision.storage import whole_file, write_text

    if path.suffix == ".csv":
        write_text(path, as_csv(names, said, more))
    else:
        write_text(path, json_text(as_json(names, said, conditions, more), indent=2) + "\n")
    if arrays := map_arrays(said):
        beside = path.with_suffix(".npz")
        with whole_file(beside, overwrite=True) as partial, partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        err.print(f"maps of {', '.join(arrays)} in {beside}", soft_wrap=True)


def note_maps(said: "Predictions") -> None:
    """Say what a table does not hold."""
    from crystalvision.prediction import map_arrays

    if arrays := map_arrays(said):
        err.print(f"note: -o FILE keeps the maps of {', '.join(arrays)}", soft_wrap=True)


def print_table(names: Sequence[str], said: "Predictions") -> None:
    """Write a table to stdout, and below it what its marks mean."""
    from rich.table import Table

    cells = [_cells(each) for each in said.values() if len(each.target.shape) < 2]
    columns = {heading: values for each in cells for heading, values in each.items()}
    if said.novelty is not None:
        columns["novelty"] = [f"{'! ' if one > 1 else ''}{one:.2f}" for one in said.novelty]
    table = Table(box=None)
    table.add_column("image", overflow="fold")
    classes = {name for name, each in said.items() if each.target.classes}
    for heading in columns:
        if heading in classes:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    for place, name in enumerate(names):
        table.add_row(name, *(values[place] for values in columns.values()))
    out.print(table)
    if said.rejected is not None and said.rejected.any():
        out.print(
            f"! {int(said.rejected.sum())} of {said.patterns} patterns are unlike the training "
            "data (novelty above 1): do not rely on what is said of them",
            style="bold red",
        )


def _cells(said: "Estimates") -> dict[str, list[str]]:
    """Columns of the table that tell a target: heading → text of each pattern."""
    target, answers = said.target, said.answers
    if target.classes and target.shape:
        return {}
    if target.components:
        return {target.name: [_shares(row, target.components) for row in said.value]}
    if not target.classes:
        units = "" if target.units == "1" else f" [{target.units}]"
        deviations = said.spread if answers is None else answers.value_std
        return {f"{target.name}{units}": _numbers(said.value, deviations)}
    found = {target.name: said.names}
    if said.probabilities is not None:
        places = range(len(said.value)), said.value
        deviations = None
        if answers is not None and answers.probability_std is not None:
            deviations = answers.probability_std[places]
        found[_several("probability", target.name)] = _numbers(
            said.probabilities[places], deviations
        )
    if answers is not None and answers.mutual_information is not None:
        heading = _several("disagreement [nat]", target.name)
        found[heading] = _numbers(answers.mutual_information, None)
    return found


def likeliest(said: "Predictions", count: int) -> Columns:
    """The likeliest classes of each pattern, with their probabilities.

    Raises:
        InputError: The run gives no probabilities of classes.
    """
    from crystalvision.models import LABEL
    from crystalvision.prediction import most_probable

    return {
        "likeliest": [
            [
                {"class": name, "probability": probability}
                for name, probability in most_probable(said[LABEL], place, count)
            ]
            for place in range(said.patterns)
        ]
    }


def print_likeliest(names: Sequence[str], found: Columns) -> None:
    """Write the likeliest classes of each pattern below one another."""
    from rich.table import Table

    table = Table(box=None)
    table.add_column("image", overflow="fold")
    table.add_column("likeliest", overflow="fold")
    table.add_column("probability", justify="right", no_wrap=True)
    for name, classes in zip(names, found["likeliest"], strict=True):
        assert isinstance(classes, list)  # noqa: S101 - as `likeliest` makes them, for mypy
        for place, one in enumerate(classes):
            table.add_row("" if place else name, one["class"], f"{one['probability']:.3f}")
    out.print(table)


def png_name(name: str, taken: set[str]) -> str:
    """A PNG's name that says which pattern, and that no other has."""
    stem = Path(name).name.replace("[", "-").replace("]", "")
    unique, number = stem, 1
    while unique in taken:
        number += 1
        unique = f"{stem}-{number}"
    taken.add(unique)
    return f"{unique}.png"


def _shares(row: Any, components: Sequence[str]) -> str:
    """The greatest shares of components, such as `NaCl 0.61, MgO 0.39`."""
    order = (-row).argsort(kind="stable")[:_SHARES]
    shown = [place for place in order if row[place] >= _LEAST_SHARE] or [order[0]]
    return ", ".join(f"{components[place]} {row[place]:.2f}" for place in shown)


def _several(heading: str, target: str) -> str:
    """A heading that says of which target, unless it is the usual one."""
    return heading if target == "label" else f"{target} {heading}"


def _numbers(values: Any, deviations: Any) -> list[str]:
    texts = []
    for place, value in enumerate(values):
        several = [value] if value.ndim == 0 else list(value)
        text = " ".join(f"{one:.3f}" for one in several)
        if deviations is not None and value.ndim == 0:
            text += f" ± {deviations[place]:.3f}"
        texts.append(text)
    return texts
