"""`crystalvision simulate`."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from crystalvision.cli.cards import write_card_or_say
from crystalvision.cli.clusters import Scheduler, Workers, one_cluster
from crystalvision.cli.console import err, out, print_json, progress
from crystalvision.config import apply_overrides
from crystalvision.errors import InputError
from crystalvision.ranges import MAX_SAMPLES, MAX_SEED
from crystalvision.text import command_line

_LONG = 3600.0  # s: what takes longer is announced


def simulate(
    ctx: typer.Context,
    recipe: Annotated[
        str, typer.Argument(help="A recipe's YAML file, or the name of a shipped recipe.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where the dataset goes, such as data.zarr; not needed with --dry-run.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_SAMPLES, help="Number of patterns, instead of the recipe's."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Seed, instead of the recipe's.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to render: cpu, cuda or auto.")] = "cpu",
    workers: Workers = None,
    scheduler: Scheduler = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set a value of the recipe, such as instrument.dose_electrons=1e5. Repeatable.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a dataset that was interrupted.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the dataset that is there.")
    ] = False,
    card: Annotated[
        bool,
        typer.Option(help="Write the dataset's card into it: README.md, card.png, croissant.json."),
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Describe the dataset as JSON.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would take, about.")
    ] = False,
) -> None:
    """Make a dataset of labelled patterns from a recipe."""
    from crystalvision.datasets import Dataset, describe
    from crystalvision.sources import SourceSpec, find_recipe, generate, read_recipe, source_of
    from crystalvision.training import choose_device

    mode = _mode(resume=resume, overwrite=overwrite)
    overrides = [*(set_ or [])]
    overrides += [f"samples={samples}"] if samples is not None else []
    overrides += [f"seed={seed}"] if seed is not None else []
    catalogue = ctx.obj.catalogue
    path = find_recipe(recipe, catalogue)
    data = apply_overrides(read_recipe(path, catalogue), overrides)
    where = str(choose_device(device))
    name = source_of(data, recipe, catalogue)
    spec = SourceSpec(name, data, where, plugins=ctx.obj.selection, described_in=str(path))
    source = spec.open(catalogue)
    cost, count = source.cost, source.header.samples
    if dry_run:
        out.print(f"{recipe}: {cost or 'its source cannot say what it takes'}", soft_wrap=True)
        return
    if output is None:
        raise InputError("-o is missing: give the dataset to write, such as -o data.zarr")
    if cost is not None and cost.seconds > _LONG:
        err.print(f"this takes {cost}, by an estimate", soft_wrap=True)
    for note in source.notes:
        err.print(f"note: {note}", soft_wrap=True)
    with ExitStack() as stack:
        cluster = stack.enter_context(one_cluster(workers, scheduler, where))
        advance = stack.enter_context(progress("Simulating", count))
        try:
            generate(spec, output, mode=mode, cluster=cluster, source=source, advance=advance)
        except KeyboardInterrupt:
            err.print(f"{output} is not whole yet; the same command with --resume goes on with it")
            raise
    if card:
        write_card_or_say(output)
    if json:
        print_json(describe(Dataset.open(output)))
    else:
        err.print(
            f"{count} patterns in {output}. "
            f"Next: {command_line('crystalvision', 'dataset', 'info', output)}",
            soft_wrap=True,
        )


def _mode(*, resume: bool, overwrite: bool) -> Literal["create", "resume", "overwrite"]:
    if resume and overwrite:
        raise InputError("--resume and --overwrite exclude each other: go on, or start anew")
    if resume:
        return "resume"
    return "overwrite" if overwrite else "create"
