"""A suite that is ready to run: what is to be done, and how."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from crystalvision.benchmarks._cells import Cell, CellKey, cells_of
from crystalvision.benchmarks._check import Sources, check_suite
from crystalvision.benchmarks._datasets import open_sources
from crystalvision.benchmarks._experiments import experiment_of, with_experiments
from crystalvision.benchmarks._folder import BenchmarkFolder, check_folder
from crystalvision.benchmarks._outcome import Outcome
from crystalvision.benchmarks._suite import Suite
from crystalvision.plugins import Catalogue, PluginSelection

Advance = Callable[[int], object]


class Watcher(Protocol):
    """Told how a benchmark proceeds."""

    def note(self, text: str) -> None:
        """Something that the user should know, in one line."""

    def step(self, what: str, total: int) -> AbstractContextManager[Advance]:
        """A step of so many parts begins; what it gives is told how many more are done."""

    def cells_begin(self, total: int, done: int) -> None:
        """Cells begin; so many are done already."""

    def cell_reports(self, key: CellKey, text: str) -> None:
        """What a cell does now."""

    def cell_ended(self, key: CellKey, outcome: Outcome) -> None:
        """A cell has ended."""

    def cells_end(self) -> None:
        """No cell runs any more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a benchmark is run; none of it changes a number, but for the device.

    Attributes:
        device: Where cells are simulated and trained: `cpu` or `cuda`.
        workers: Cells that run at a time on this machine.
        scheduler: Address of a Dask cluster that runs them instead.
        resume: Go on with the benchmark that is there.
        overwrite: Replace it.
        command: The command line, for the record.
    """

    device: str = "cpu"
    workers: int = 1
    scheduler: str | None = None
    resume: bool = False
    overwrite: bool = False
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A suite that is ready to run.

    Attributes:
        suite: With its experiments written out.
        cells: Its cells, each after those that it begins with.
        sources: What makes its datasets.
        troubles: What will fail for want of a plugin or of weights, by system.
    """

    suite: Suite
    cells: list[Cell]
    sources: Sources
    troubles: dict[str, str]


def plan_benchmark(
    suite: Suite,
    catalogue: Catalogue,
    selection: PluginSelection,
    *,
    device: str,
    watcher: Watcher,
) -> Planned:
    """Check a suite and find its cells; nothing is written.

    Raises:
        InputError: The first thing that is wrong.
    """
    suite = with_experiments(suite, catalogue)
    cells = cells_of(suite)
    for cell in cells:
        experiment_of(suite, cell)  # takes no time, so before recipes, which do
    sources = open_sources(suite, cells, catalogue, selection, device)
    systems = {cell.key.system for cell in cells}
    with watcher.step("checking", len(sources) + len(systems)) as advance:
        troubles = check_suite(suite, cells, sources, catalogue, lambda: advance(1))
    return Planned(suite, cells, sources, troubles)


def check_place(planned: Planned, folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Check that a benchmark may be run in a folder, before work is done.

    Raises:
        InputError: It may not.
    """
    check_folder(BenchmarkFolder(folder), planned.suite, resume=resume, overwrite=overwrite)
