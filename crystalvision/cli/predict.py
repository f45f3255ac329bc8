"""`crystalvision predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.cli._state import State
from crystalvision.cli.console import out, print_json, progress

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.prediction import Predictions


def predict(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...",
            help="PNG, TIFF or NPY files of raw counts, or samples: 'DATA.zarr[3]'.",
        ),
    ],
    *,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Say which class each image shows, with what probability, and how severe the defect is."""
    import numpy as np

    from crystalvision.prediction import Predictor, read_image
    from crystalvision.training import choose_device

    state: State = ctx.obj
    predictor = Predictor.load(run, catalogue=state.catalogue, device=choose_device(device))
    raw = np.stack([predictor.prepare(read_image(source), source) for source in images])
    with progress("predicting", len(raw)) as advance:
        told = predictor.predict(raw, on_batch=advance)
    if json:
        print_json(_as_json(images, told))
    else:
        _print_table(images, told)


def _as_json(images: list[str], told: "Predictions") -> dict[str, object]:
    return {
        "severity_source": told.severity_source,
        "predictions": [
            {
                "image": image,
                "class": told.names[row],
                "probabilities": dict(
                    zip(told.class_names, told.probabilities[row].tolist(), strict=True)
                ),
                "severity": float(told.severity[row]),
            }
            for row, image in enumerate(images)
        ],
    }


def _print_table(images: list[str], told: "Predictions") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None)
    table.add_column("image", overflow="fold")
    table.add_column("class", overflow="fold")
    table.add_column("probability", justify="right")
    table.add_column("severity", justify="right")
    for row, image in enumerate(images):
        probability = told.probabilities[row, told.label[row]]
        name = Text(image)  # not markup: DATA.zarr[3] has brackets
        table.add_row(name, told.names[row], f"{probability:.3f}", f"{told.severity[row]:.3f}")
    out.print(table)
