"""Writes predictions as a table, as CSV, and as what becomes JSON."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from crystalvision.console import out
from crystalvision.text import csv_writer

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.prediction import Predictions

Row = dict[str, object]


def rows(names: Sequence[str], told: "Predictions") -> list[Row]:
    """One mapping for each pattern."""
    return [_row(name, told, place) for place, name in enumerate(names)]


def _row(name: str, told: "Predictions", place: int) -> Row:
    probabilities = told.probabilities[place].tolist()
    row: Row = {
        "image": name,
        "class": told.names[place],
        "probabilities": dict(zip(told.class_names, probabilities, strict=True)),
        "severity": float(told.severity[place]),
    }
    if told.novelty is not None:
        row["novelty"] = float(told.novelty[place])
        row["unlike_training_data"] = bool(told.novelty[place] > 1)
    if told.spread is not None:
        deviations = told.spread.probability_std[place].tolist()
        row["probability_std"] = dict(zip(told.class_names, deviations, strict=True))
        row["severity_std"] = float(told.spread.severity_std[place])
        row["entropy_nat"] = float(told.spread.entropy[place])
        row["mutual_information_nat"] = float(told.spread.mutual_information[place])
    return row


def print_csv(names: Sequence[str], told: "Predictions") -> None:
    """Write a line of headings, and one for each pattern, to stdout."""
    flat = [_flat(row) for row in rows(names, told)]
    table = io.StringIO()
    writer = csv_writer(table)
    writer.writerow(flat[0])
    writer.writerows(row.values() for row in flat)
    out.write(table.getvalue())


def _flat(row: Row) -> dict[str, object]:
    """A row whose values are no mappings: `probabilities` become `probability_NAME`."""
    flat: dict[str, object] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            stem = "probability" if key == "probabilities" else key
            flat |= {f"{stem}_{name}": f"{number:.6g}" for name, number in value.items()}
        else:
            flat[key] = f"{value:.6g}" if isinstance(value, float) else value
    return flat


def print_table(names: Sequence[str], told: "Predictions") -> None:
    """Write a table to stdout, and below it what its marks mean."""
    from rich.table import Table

    table = Table(box=None)
    table.add_column("image", overflow="fold")
    table.add_column("class", overflow="fold")
    headings = ["probability", "severity"]
    headings += ["disagreement [nat]"] if told.spread is not None else []
    headings += ["novelty"] if told.novelty is not None else []
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for place, name in enumerate(names):
        table.add_row(name, told.names[place], *_cells(told, place))
    out.print(table)
    if told.rejected is not None and told.rejected.any():
        out.print(
            f"! {int(told.rejected.sum())} of {len(told)} patterns are unlike the training data "
            "(novelty above 1): do not rely on what is said of them",
            style="bold red",
        )


def _cells(told: "Predictions", place: int) -> list[str]:
    label = int(told.label[place])
    probability = f"{told.probabilities[place, label]:.3f}"
    severity = f"{told.severity[place]:.3f}"
    cells = [probability, severity]
    if told.spread is not None:
        spread = told.spread
        cells = [
            f"{probability} ± {spread.probability_std[place, label]:.3f}",
            f"{severity} ± {spread.severity_std[place]:.3f}",
            f"{spread.mutual_information[place]:.3f}",
        ]
    if told.novelty is not None:
        mark = "! " if told.novelty[place] > 1 else ""
        cells.append(f"{mark}{told.novelty[place]:.2f}")
    return cells
