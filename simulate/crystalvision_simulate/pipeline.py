"""Makes many samples in order: on every core, or on a GPU that cores feed."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from threading import Lock
from typing import TypeVar

import torch

from crystalvision.cores import usable_processors
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.processes import worker_pool
from crystalvision.sources import Sample
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.scenes import Scene
from crystalvision_simulate.simulator import Simulator

_BATCH = 64  # scenes that go to the GPU together
_AHEAD = 2  # tasks in hand for each worker, so that none waits and memory stays bounded


@dataclass(slots=True)
class _Entered:
    """Who is within `one_torch_thread`."""

    lock: Lock = field(default_factory=Lock)
    count: int = 0
    before: int = 1


_entered = _Entered()
Item = TypeVar("Item")
Result = TypeVar("Result")


def make_on_cpu(
    simulator: Simulator, indices: Iterable[int], *, threads: int | None = None
) -> Generator[Sample, None, None]:
    """Make samples in order, by default one thread a core, each on its own.

    torch itself runs on one thread meanwhile, because that is faster, and because then a sample is
    the same bit for bit wherever it is made.
    """
    count = threads or usable_processors()
    with one_torch_thread(), ThreadPoolExecutor(count, "crystalvision-simulate") as executor:
        yield from map_in_order(executor, simulator.sample, indices, _AHEAD * count)


def make_on_gpu(
    simulator: Simulator,
    selection: PluginSelection,
    indices: Iterable[int],
    *,
    processes: int | None = None,
) -> Generator[Sample, None, None]:
    """Make samples in order: scenes by processes, rendered in batches on the device.

    Args:
        simulator: Renders on its device.
        selection: The plugins that its recipe needs, to be loaded in each process.
        indices: What to make.
        processes: How many prepare scenes; by default one a core.
    """
    count = processes or usable_processors()
    threads = ThreadPoolExecutor(usable_processors(), "crystalvision-expose")
    with worker_pool(count) as preparing, threads:
        work = partial(_scene, simulator.recipe.model_dump_json(), selection)
        scenes = map_in_order(preparing, work, indices, _BATCH + _AHEAD * count)
        rendered = (simulator.render(batch) for batch in _batches(scenes, _BATCH))
        parts = (part for batch in rendered for part in _batches(batch, _BATCH // 8))
        for samples in map_in_order(threads, simulator.expose, parts, _AHEAD * usable_processors()):
            yield from samples


def map_in_order(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Generator[Result, None, None]:
    """Like `executor.map`, but never more than `ahead` items are taken before their turn.

    What was begun is cancelled if the iterator is closed.
    """
    begun: deque[Future[Result]] = deque()
    rest = iter(items)
    try:
        while True:
            begun.extend(executor.submit(work, item) for item in islice(rest, ahead - len(begun)))
            if not begun:
                return
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Within it, torch runs on one thread: what it sums is then the same bit for bit.

    Several threads may be within it: what was there before is there again when the last leaves.
    """
    with _entered.lock:
        if not _entered.count:
            _entered.before = torch.get_num_threads()
        _entered.count += 1
        torch.set_num_threads(1)  # for each thread of ours: torch keeps it for each
    try:
        yield
    finally:
        with _entered.lock:
            _entered.count -= 1
            if not _entered.count:
                torch.set_num_threads(_entered.before)


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _scene(recipe: str, selection: PluginSelection, index: int) -> Scene:
    torch.set_num_threads(1)
    return _simulator_of(recipe, selection).scene(index)


@lru_cache(maxsize=1)
def _simulator_of(recipe: str, selection: PluginSelection) -> Simulator:
    """The simulator of a worker process, made once."""
    return Simulator(Recipe.model_validate_json(recipe), Catalogue.load(selection))
