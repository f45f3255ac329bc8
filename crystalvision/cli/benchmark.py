"""`crystalvision benchmark`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.available_memory import check_processes
from crystalvision.cli._state import State
from crystalvision.cli.clusters import MAX_PROCESSES
from crystalvision.console import err, print_json
from crystalvision.cores import usable_processors
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.benchmarks import Settings


def benchmark(
    ctx: typer.Context,
    suite: Annotated[
        str,
        typer.Argument(
            help="A YAML file, or the name of a suite that `crystalvision plugins` lists."
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The folder to write; not needed with --dry-run."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Which of the suite's budgets, by default quick.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "-w",
            "--workers",
            min=1,
            max=MAX_PROCESSES,
            help="Cells at a time; by default one a core, or one with a GPU.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="A Dask cluster that runs already, such as tcp://node1:8786, runs the cells; its "
            "workers must reach the output folder under the same path.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a value of the suite. May be repeated."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the benchmark that is there.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the benchmark that is there.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the suite and list what would be run.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write the table's rows as JSON.")] = False,
) -> None:
    """Train and judge every system of a suite on its datasets, and compare them.

    If it is stopped, however it is, the same command with --resume goes on where it was.
    """
    from crystalvision.api.benchmarks import plan_suite, run_planned
    from crystalvision.api.cells import Screen
    from crystalvision.cli._benchmark import print_failures, print_next, print_plan, print_results
    from crystalvision.training import choose_device

    state: State = ctx.obj
    where = choose_device(device).type
    folder = _folder(output, dry_run=dry_run)
    how = _settings(state, where, workers, scheduler, resume=resume, overwrite=overwrite)
    screen, session = Screen(folder), state.session
    planned = plan_suite(suite, budget, settings or [], where, session, screen)
    if dry_run:
        print_plan(planned, json=json)
        return
    try:
        rows = run_planned(planned, folder, how, session, screen)
    except KeyboardInterrupt:
        text = f"{folder} is not whole yet; the same command with --resume goes on with it"
        err.print(text, soft_wrap=True)
        raise
    if json:
        print_json([row.model_dump(mode="json") for row in rows])
    else:
        print_results(planned.suite, rows)
        print_next(folder)
    if screen.failures:
        print_failures(rows, folder)
        raise typer.Exit(1)


def _folder(output: Path | None, *, dry_run: bool) -> Path:
    if output is None and not dry_run:
        raise InputError("-o is missing: give the folder to write, such as -o runs/fusion")
    return output or Path()


def _settings(
    state: State,
    device: str,
    workers: int | None,
    scheduler: str | None,
    *,
    resume: bool,
    overwrite: bool,
) -> "Settings":
    from crystalvision.benchmarks import Settings

    if workers is not None and scheduler is not None:
        raise InputError(
            "--workers and --scheduler exclude each other: start processes here, or use a cluster"
        )
    if workers is not None:
        check_processes(workers, f"--workers {workers}")
    usual = 1 if device == "cuda" else usable_processors()
    return Settings(
        device=device,
        workers=workers or usual,
        scheduler=scheduler,
        resume=resume,
        overwrite=overwrite,
        command=("crystalvision", *state.arguments),
    )
