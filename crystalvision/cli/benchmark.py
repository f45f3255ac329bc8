"""`crystalvision benchmark`."""

from pathlib import Path
from typing import Annotated

import typer

from crystalvision.cli._state import State
from crystalvision.cli.clusters import MAX_PROCESSES
from crystalvision.console import err, print_json
from crystalvision.errors import InputError


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
    from crystalvision.api.benchmarks import plan_benchmark
    from crystalvision.cli._benchmark import print_failures, print_next, print_plan, print_results

    state: State = ctx.obj
    if output is None and not dry_run:
        raise InputError("-o is missing: give the folder to write, such as -o runs/fusion")
    planned = plan_benchmark(
        suite, budget=budget, set=settings or [], device=device, session=state.session
    )
    if output is None or dry_run:
        print_plan(planned.planned, json=json)
        return
    try:
        done = planned.run(
            output, workers=workers, scheduler=scheduler, resume=resume, overwrite=overwrite
        )
    except KeyboardInterrupt:
        text = f"{output} is not whole yet; the same command with --resume goes on with it"
        err.print(text, soft_wrap=True)
        raise
    rows = done.rows
    if json:
        print_json([row.model_dump(mode="json") for row in rows])
    else:
        print_results(planned.planned.suite, rows)
        print_next(output)
    if any(row.status != "ok" for row in rows):
        print_failures(rows, output)
        raise typer.Exit(1)
