"""`crystalvision train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.cli._state import State
from crystalvision.cli._subset import SubsetOption
from crystalvision.cli.clusters import MAX_PROCESSES
from crystalvision.console import out, print_json
from crystalvision.ranges import MAX_SAMPLES
from crystalvision.text import command_line

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.api.runs import Run


def train(
    ctx: typer.Context,
    experiment: Annotated[
        str,
        typer.Argument(
            help="A YAML file, or the name of an experiment that `crystalvision plugins` lists."
        ),
    ],
    *,
    data: Annotated[Path, typer.Option("-d", "--data", help="The dataset to train on.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The run folder to write.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting. May be repeated."),
    ] = None,
    subset: SubsetOption = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Replaces the experiment's seed.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="Replaces the experiment's precision: 32, bf16, or 16."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    devices: Annotated[
        int,
        typer.Option(
            min=1,
            max=MAX_PROCESSES,
            help="GPUs of each node, or processes on a CPU; they share each batch.",
        ),
    ] = 1,
    nodes: Annotated[
        int,
        typer.Option(
            min=1, max=MAX_PROCESSES, help="Nodes; torchrun starts the command on each of them."
        ),
    ] = 1,
    strategy: Annotated[
        str, typer.Option(help="How Lightning spreads the work over several devices.")
    ] = "auto",
    accumulate: Annotated[
        int,
        typer.Option(
            min=1,
            max=65_536,
            help="Parts in which to compute each batch, one after another: less memory.",
        ),
    ] = 1,
    compile_: Annotated[
        bool, typer.Option("--compile", help="Compile the backbones first, which takes minutes.")
    ] = False,
    online: Annotated[
        bool,
        typer.Option(
            "--online",
            help="Learn from samples that are made while it trains, new ones each epoch, by the "
            "recipe of the dataset, which is then to validate and to test on.",
        ),
    ] = False,
    online_recipe: Annotated[
        str | None,
        typer.Option(metavar="RECIPE", help="The same, by another recipe: its name or its file."),
    ] = None,
    epoch_samples: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=MAX_SAMPLES,
            help="Samples of an epoch that are made; by default as many as the split train has.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            min=0,
            max=MAX_PROCESSES,
            help="Processes that make them; 0 makes them in this one, between batches.",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace the run, or unfinished training, that is there."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write the run's record as JSON.")] = False,
) -> None:
    """Train a system on a dataset and write a run folder.

    If it is stopped, however it is, the same command goes on where it was.
    """
    from crystalvision.api.training import train as run_training
    from crystalvision.training import Machine, is_main_process

    state: State = ctx.obj
    run = run_training(
        experiment,
        data,
        output,
        set=settings or [],
        subset=subset,
        seed=seed,
        precision=precision,
        device=device,
        devices=devices,
        nodes=nodes,
        strategy=strategy,
        accumulate=accumulate,
        compile=compile_,
        online=online_recipe or online,
        epoch_samples=epoch_samples,
        workers=workers,
        overwrite=overwrite,
        session=state.session,
    )
    if not is_main_process(Machine.called(device, devices=devices, nodes=nodes)):
        return
    if json:
        print_json(run.record.model_dump(mode="json"))
    else:
        _print_end(run, data)


def _print_end(run: "Run", data: Path) -> None:
    phases = run.record.phases
    best = ", ".join(f"{each.name} {each.monitor} {each.best_value:.4f}" for each in phases)
    seconds = run.record.training_seconds
    out.print(f"{run.path}: {best}; trained in {seconds:.1f} s", soft_wrap=True)
    command = command_line("crystalvision", "evaluate", run.path, "-d", data)
    out.print(f"next: {command}", soft_wrap=True)
