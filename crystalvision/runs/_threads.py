"""A training that goes on, goes on with as many threads as it began with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from crystalvision.runs._unfinished import Unfinished


@contextmanager
def threads_of(folder: Unfinished, note: Callable[[str], None], *, keep: bool) -> Iterator[None]:
    """Within it, torch has the threads that the training in a folder began with.

    Sums come out the same, bit for bit, for one number of threads only.

    Args:
        folder: The training, begun or not.
        note: Told what the user should know.
        keep: Whether the number of threads may be changed to that; otherwise the user chose it.
    """
    now = torch.get_num_threads()
    before = (folder.begun and folder.threads) or now  # an older folder does not say
    if before == now:
        folder.threads = now
        yield
        return
    if not keep:
        note(
            f"it began with {before} threads and goes on with {now}: its weights will differ in "
            f"their last digits; to have the same, set OMP_NUM_THREADS={before}"
        )
        folder.threads = now
        yield
        return
    note(f"it goes on with {before} threads, as it began, for its weights to be the same")
    torch.set_num_threads(before)
    try:
        yield
    finally:
        torch.set_num_threads(now)
