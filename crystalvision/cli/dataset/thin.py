"""`crystalvision dataset thin`."""

from pathlib import Path
from typing import Annotated

import typer

from crystalvision.api.cards import write_card_or_say
from crystalvision.cli.dataset._options import DataPath, Json
from crystalvision.console import err, print_json, progress
from crystalvision.text import command_line


def thin(
    path: DataPath,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where it goes, such as low.zarr.")
    ],
    kept: Annotated[
        float, typer.Option(help="The share of the counts that is kept, such as 0.01.")
    ],
    *,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Another draws others.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with one that was interrupted.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the dataset that is there.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a dataset of a lower dose from one of a higher, without rendering anything anew.

    Each count is kept with the same probability: exactly what a detector that counts electrons
    would have given at that dose, of the same specimens. Doses among the columns are those of the
    new dataset, and splits stay as they are. A run that was trained on one dose of a dataset is not
    judged on another of it, for both show the same specimens.
    """
    from crystalvision.datasets import Dataset, describe, mode_of
    from crystalvision.datasets import thin as make

    mode = mode_of(resume=resume, overwrite=overwrite)
    with progress("Thinning", None) as advance:
        try:
            make(path, output, kept, seed=seed, mode=mode, advance=advance)
        except KeyboardInterrupt:
            err.print(f"{output} is not whole yet; the same command with --resume goes on with it")
            raise
    write_card_or_say(output)
    made = describe(Dataset.open(output))
    if json:
        print_json(made)
        return
    err.print(
        f"{made['samples']} samples with {kept:g} of the counts in {output}. "
        f"Next: {command_line('crystalvision', 'dataset', 'info', output)}",
        soft_wrap=True,
    )
