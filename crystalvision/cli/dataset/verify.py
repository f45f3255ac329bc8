"""`crystalvision dataset verify`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from crystalvision.cli.dataset._options import PROBLEMS_FOUND, DataPath, Json
from crystalvision.console import err, out, print_json, progress


def verify(
    path: DataPath,
    *,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Also tell whether the images that were imported have changed."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Read every byte of a dataset and list what is missing or damaged.

    The exit status is 0 if it is whole, 1 if anything is wrong, 2 if PATH is no dataset.
    """
    from crystalvision.datasets import Dataset, Problem
    from crystalvision.datasets import verify as find_problems
    from crystalvision.exchange import changed_files

    with progress("Reading", None) as advance:
        problems = find_problems(path, advance=advance)
    if images is not None and not problems:
        changes = changed_files(Dataset.open(path), images)
        problems = [Problem(None, change) for change in changes]
    if json:
        whole = not problems
        print_json({"path": path, "whole": whole, "problems": [asdict(each) for each in problems]})
    elif problems:
        for problem in problems:
            place = "" if problem.shard is None else f"shard {problem.shard}: "
            out.print(f"{place}{problem.message}", soft_wrap=True)
        noun = "problem" if len(problems) == 1 else "problems"
        err.print(f"{path}: {len(problems)} {noun}", style="bold red", soft_wrap=True)
    else:
        out.print(f"{path}: whole", soft_wrap=True)
    if problems:
        raise typer.Exit(PROBLEMS_FOUND)
