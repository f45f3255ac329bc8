"""The options `--workers` and `--scheduler`, which several commands have."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.console import err
from crystalvision.errors import InputError

if TYPE_CHECKING:  # what is made on one machine needs no dask
    from crystalvision.sources import Cluster

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


@contextmanager
def one_cluster(
    workers: int | None, scheduler: str | None, device: str
) -> "Iterator[Cluster | None]":
    """The cluster that was asked for, while the block runs; none where none was.

    Args:
        workers: Processes to start on this machine.
        scheduler: Address of a cluster that runs already.
        device: Where samples are computed.

    Raises:
        InputError: Both were asked for, or what cannot be.
    """
    if workers is not None and scheduler is not None:
        raise InputError(
            "--workers and --scheduler exclude each other: start processes here, or use a cluster"
        )
    if workers is None and scheduler is None:
        yield None
        return
    from crystalvision.sources import Cluster

    if workers is not None:
        with Cluster.local(workers, device=device) as cluster:
            yield cluster
    else:
        with Cluster.at(str(scheduler)) as cluster:
            if cluster.note:
                err.print(f"note: {cluster.note}", soft_wrap=True)
            yield cluster
