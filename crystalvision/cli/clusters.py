"""The options `--workers` and `--scheduler`, which several commands have."""

from typing import Annotated

import typer

MAX_PROCESSES = 1024
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-w",
        min=1,
        max=MAX_PROCESSES,
        help="Worker processes on this machine, one a GPU with --device cuda; by default this "
        "process makes the samples, on every core.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="A Dask cluster that runs already, such as tcp://node1:8786, makes the samples.",
    ),
]
