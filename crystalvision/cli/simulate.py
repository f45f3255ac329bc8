"""`crystalvision simulate`."""

from pathlib import Path
from typing import Annotated

import typer

from crystalvision.cli.clusters import Scheduler, Workers
from crystalvision.console import err, out, print_json
from crystalvision.errors import InputError
from crystalvision.ranges import MAX_SAMPLES, MAX_SEED
from crystalvision.text import command_line


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
    from crystalvision.api.cards import write_card_or_say
    from crystalvision.api.clusters import one_cluster
    from crystalvision.api.datasets import plan_dataset
    from crystalvision.datasets import Dataset, describe, mode_of

    mode_of(resume=resume, overwrite=overwrite)
    planned = plan_dataset(
        recipe, samples=samples, seed=seed, set=set_ or [], device=device, session=ctx.obj.session
    )
    if dry_run:
        cost = planned.source.cost
        out.print(f"{recipe}: {cost or 'its source cannot say what it takes'}", soft_wrap=True)
        return
    if output is None:
        raise InputError("-o is missing: give the dataset to write, such as -o data.zarr")
    try:
        with one_cluster(workers, scheduler, planned.spec.device) as cluster:
            planned.make(output, resume=resume, overwrite=overwrite, cluster=cluster)
    except KeyboardInterrupt:
        err.print(f"{output} is not whole yet; the same command with --resume goes on with it")
        raise
    if card:
        write_card_or_say(output)
    if json:
        print_json(describe(Dataset.open(output)))
    else:
        err.print(
            f"{planned.samples} patterns in {output}. "
            f"Next: {command_line('crystalvision', 'dataset', 'info', output)}",
            soft_wrap=True,
        )
