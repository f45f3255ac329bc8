"""Where samples are made: by this process, by others of this machine, or by a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from crystalvision.console import err
from crystalvision.errors import InputError
from crystalvision.sources import Cluster


@contextmanager
def one_cluster(
    workers: int | None, scheduler: str | None, device: str
) -> Iterator[Cluster | None]:
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
    if workers is not None:
        with Cluster.local(workers, device=device) as cluster:
            yield cluster
    else:
        with Cluster.at(str(scheduler)) as cluster:
            if cluster.note:
                err.print(f"note: {cluster.note}", soft_wrap=True)
            yield cluster
