"""`crystalvision dataset merge`."""

from pathlib import Path
from typing import Annotated

import typer

from crystalvision.api.cards import write_card_or_say
from crystalvision.cli.dataset._options import Json
from crystalvision.console import err, print_json, progress
from crystalvision.text import command_line


def merge(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="The datasets, two or more.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Where the merged dataset goes, such as all.zarr."),
    ],
    *,
    name: Annotated[
        str | None, typer.Option(help="Its name; by default the names of the inputs, joined.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a merge that was interrupted.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the dataset that is there.")
    ] = False,
    json: Json = False,
) -> None:
    """Join datasets into one: all samples of the first, then of the second, and so on.

    Images must have one shape, type and calibration. Classes are joined by name. The columns
    `source` and `source_index` tell where each sample comes from. A column of floating-point
    numbers that some inputs lack is NaN there.

    Splits are assigned anew, so the merged test part holds samples that an input trains on. A model
    that was trained on an input cannot be judged on the merged dataset, nor the other way round:
    `crystalvision evaluate` refuses it. Train on the merged dataset, or judge on data that was not
    merged.
    """
    from crystalvision.datasets import Dataset, describe, differing_beams, mode_of
    from crystalvision.datasets import merge as join

    mode = mode_of(resume=resume, overwrite=overwrite)
    with progress("Copying", None) as advance:
        try:
            join(inputs, output, name=name, mode=mode, advance=advance)
        except KeyboardInterrupt:
            err.print(f"{output} is not whole yet; the same command with --resume goes on with it")
            raise
    for note in differing_beams([Dataset.open(each) for each in inputs]):
        err.print(f"note: {note}", markup=False, soft_wrap=True)
    write_card_or_say(output)
    merged = describe(Dataset.open(output))
    if json:
        print_json(merged)
    else:
        err.print(
            f"{merged['samples']} samples of {len(inputs)} datasets in {output}. "
            f"Next: {command_line('crystalvision', 'dataset', 'info', output)}",
            soft_wrap=True,
        )
