"""`crystalvision simulate`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crystalvision.cli.cards import write_card_or_say
from crystalvision.cli.clusters import Scheduler, Workers, one_cluster
from crystalvision.cli.console import err, out, print_json, progress
from crystalvision.errors import InputError
from crystalvision.text import command_line
from crystalvision_simulate.ranges import MAX_SAMPLES, MAX_SEED

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.sources import Source
    from crystalvision_simulate.cost import RecipeCost

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
            help="Set a value of the recipe, such as detector.dose_electrons=1e5. Repeatable.",
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
    """Simulate a dataset of labelled diffraction patterns from a recipe."""
    from crystalvision.datasets import Dataset, describe
    from crystalvision.sources import SourceSpec, generate
    from crystalvision.training import choose_device
    from crystalvision_simulate.recipes import load_recipe
    from crystalvision_simulate.source import SOURCE

    mode = _mode(resume=resume, overwrite=overwrite)
    overrides = [*(set_ or [])]
    overrides += [f"samples={samples}"] if samples is not None else []
    overrides += [f"seed={seed}"] if seed is not None else []
    catalogue = ctx.obj.catalogue
    loaded = load_recipe(recipe, catalogue, overrides)
    where = str(choose_device(device))
    spec = SourceSpec(SOURCE, loaded.model_dump(mode="json"), where, plugins=ctx.obj.selection)
    source = spec.open(catalogue)
    if dry_run:
        out.print(f"{recipe}: {_cost_of(source)}", soft_wrap=True)
        return
    if output is None:
        raise InputError("-o is missing: give the dataset to write, such as -o data.zarr")
    _say_beforehand(source)
    for facts in source.header.crystals:
        for assumed in facts.assumed:
            err.print(f"note: {facts.formula}: {assumed}", soft_wrap=True)
    with ExitStack() as stack:
        cluster = stack.enter_context(one_cluster(workers, scheduler, where))
        advance = stack.enter_context(progress("Simulating", loaded.samples))
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
            f"{loaded.samples} patterns in {output}. "
            f"Next: {command_line('crystalvision', 'dataset', 'info', output)}",
            soft_wrap=True,
        )


def _mode(*, resume: bool, overwrite: bool) -> Literal["create", "resume", "overwrite"]:
    if resume and overwrite:
        raise InputError("--resume and --overwrite exclude each other: go on, or start anew")
    if resume:
        return "resume"
    return "overwrite" if overwrite else "create"


def _cost_of(source: "Source") -> "RecipeCost | str":
    from crystalvision_simulate.source import SimulationSource

    return source.simulator.cost if isinstance(source, SimulationSource) else "cost unknown"


def _say_beforehand(source: "Source") -> None:
    """Say what would disappoint after hours: how long it takes, and what is wrong with the data."""
    cost = _cost_of(source)
    if not isinstance(cost, str) and cost.seconds > _LONG:
        err.print(f"this takes {cost}, by an estimate", soft_wrap=True)
    for caveat in source.header.caveats:
        if caveat.startswith("Pixels saturate"):
            err.print(caveat, soft_wrap=True)
