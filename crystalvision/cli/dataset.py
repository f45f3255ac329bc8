"""Look into a dataset, and check it."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from crystalvision.cli.console import err, out, print_json, progress

app = typer.Typer(rich_markup_mode="markdown", help=__doc__)

PROBLEMS_FOUND = 1

DataPath = Annotated[Path, typer.Argument(metavar="PATH", help="The dataset's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead.")]


@app.command()
def info(path: DataPath, *, json: Json = False) -> None:
    """Tell what a dataset holds, also while it is being written."""
    from crystalvision.datasets import Dataset, describe

    told = describe(Dataset.open(path, allow_incomplete=True))
    if json:
        print_json(told)
    else:
        _print_info(told)


@app.command()
def verify(path: DataPath, *, json: Json = False) -> None:
    """Read every byte of a dataset and list what is missing or damaged.

    The exit status is 0 if it is whole, 1 if anything is wrong, 2 if PATH is no dataset.
    """
    from crystalvision.datasets import verify as find_problems

    with progress("Reading", None) as advance:
        problems = find_problems(path, advance=advance)
    if json:
        whole = not problems
        print_json({"path": path, "whole": whole, "problems": [asdict(each) for each in problems]})
    elif problems:
        for problem in problems:
            place = "" if problem.shard is None else f"shard {problem.shard}: "
            out.print(Text(f"{place}{problem.message}"), soft_wrap=True)
        noun = "problem" if len(problems) == 1 else "problems"
        err.print(Text(f"{path}: {len(problems)} {noun}", "bold red"), soft_wrap=True)
    else:
        out.print(Text(f"{path}: whole"), soft_wrap=True)
    if problems:
        raise typer.Exit(PROBLEMS_FOUND)


def _print_info(told: Mapping[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(told):
        table.add_row(name, Text(text))
    out.print(table)


def _lines(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is told, as lines for a person."""
    samples = f"{told['samples']:,}"
    if not told["complete"]:
        samples = (
            f"{told['samples_written']:,} of {samples}; "
            f"{len(told['missing_shards'])} of {told['shards']} shards are missing"
        )
    lines = [
        ("path", told["path"]),
        ("recipe", f"{told['recipe'] or 'without a name'}, seed {told['seed']}"),
        ("samples", samples),
        ("images", f"{'×'.join(map(str, told['image_shape']))} {told['dtype']}"),
    ]
    for name, each in told["classes"].items():
        lines.append(("", f"{name}: {each['samples']:,} (severity {each['severity']:g})"))
    if told["splits"]:
        lines.append(("splits", ", ".join(f"{n} {count:,}" for n, count in told["splits"].items())))
    lines += [
        (axis["name"], f"{axis['size']} pixels of {axis['scale']:g} {axis['units']}")
        for axis in told["axes"]
    ]
    lines += [
        ("columns", ", ".join(told["columns"])),
        ("size", f"{told['bytes_on_disk'] / 1e6:,.1f} MB"),
        ("made by", ", ".join(f"{name} {version}" for name, version in told["generator"].items())),
        ("identity", told["identity"]),
    ]
    return lines
