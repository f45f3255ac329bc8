"""Runs a benchmark: datasets, cells, bounds, table, report."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from crystalvision.benchmark._bounds import write_bound
from crystalvision.benchmark._by_value import distinct_values
from crystalvision.benchmark._cells import Cell, CellKey, cells_of
from crystalvision.benchmark._check import Sources, check_suite
from crystalvision.benchmark._datasets import make_dataset, make_part, open_sources
from crystalvision.benchmark._environment import describe
from crystalvision.benchmark._executors import Cells, cluster_cells, local_cells
from crystalvision.benchmark._experiments import experiment_of, with_experiments
from crystalvision.benchmark._folder import Place, check_folder, held, write_json
from crystalvision.benchmark._job import job_of
from crystalvision.benchmark._outcome import Outcome
from crystalvision.benchmark._rows import ResultRow
from crystalvision.benchmark._suite import Suite
from crystalvision.benchmark._table import collect, is_done, write_table
from crystalvision.config import first_difference
from crystalvision.datasets import Dataset
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.runs import load_record
from crystalvision.sources import Cluster

Advance = Callable[[int], object]


class Watcher(Protocol):
    """Told how a benchmark proceeds."""

    def note(self, text: str) -> None:
        """Something that the user should know, in one line."""

    def step(self, what: str, total: int) -> AbstractContextManager[Advance]:
        """A step of so many parts begins; what it gives is told how many more are done."""

    def cells_begin(self, total: int, done: int) -> None:
        """Cells begin; so many are done already."""

    def cell_tells(self, key: CellKey, text: str) -> None:
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


def run_benchmark(
    planned: Planned,
    folder: Path,
    catalogue: Catalogue,
    selection: PluginSelection,
    *,
    settings: Settings,
    watcher: Watcher,
) -> list[ResultRow]:
    """Run a suite, or what is left of it, and write all that `crystalvision benchmark` does.

    Returns:
        The tidy table.

    Raises:
        InputError: The folder cannot be used.
        StorageError: The disk refuses.
    """
    suite = planned.suite
    with (
        held(folder, suite, resume=settings.resume, overwrite=settings.overwrite) as place,
        ExitStack() as stack,
    ):
        write_json(
            place.folder / "environment.json",
            describe(
                command=settings.command,
                budget=suite.budget,
                device=settings.device,
                workers=settings.workers,
            ),
        )
        _make_datasets(planned, place, settings, watcher)
        run: AbstractContextManager[Cells] = (
            local_cells(settings.workers, settings.device)
            if settings.scheduler is None
            else cluster_cells(settings.scheduler)
        )
        _run_cells(planned, place, stack.enter_context(run), selection, settings, watcher)
        stack.close()
        _estimate_bounds(planned, place, watcher)
        rows = collect(folder, catalogue)
        write_table(rows, folder)
        _report(folder, catalogue, watcher)
    return rows


def check_place(planned: Planned, folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Check that a benchmark may be run in a folder, before work is done.

    Raises:
        InputError: It may not.
    """
    check_folder(Place(folder), planned.suite, resume=resume, overwrite=overwrite)


def _make_datasets(planned: Planned, place: Place, settings: Settings, watcher: Watcher) -> None:
    suite = planned.suite
    total = sum(made.header.samples for made in planned.sources.values())
    with ExitStack() as stack:
        cluster = None
        if settings.scheduler is not None:
            cluster = stack.enter_context(Cluster.at(settings.scheduler))
        advance = stack.enter_context(watcher.step("simulating", total))
        for made in planned.sources.values():
            plan = suite.datasets[made.name]
            make_dataset(made, place, plan, cluster=cluster, advance=advance)
    for dataset, size in sorted({(cell.key.dataset, cell.key.size) for cell in planned.cells}):
        make_part(dataset, suite.datasets[dataset], size, place)
    if suite.by is not None:
        for name in dict.fromkeys(test for cell in planned.cells for test in cell.tests):
            path = place.test_data(name)
            distinct_values(path, suite.by, Dataset.open(path).column(suite.by))


def _run_cells(
    planned: Planned,
    place: Place,
    cells: Cells,
    selection: PluginSelection,
    settings: Settings,
    watcher: Watcher,
) -> None:
    ended = {cell.key: "ok" for cell in planned.cells if _finished(planned.suite, place, cell)}
    waiting = [cell for cell in planned.cells if cell.key not in ended]
    for cell in waiting:
        place.failure(cell.key).unlink(missing_ok=True)  # it is tried again
    running: dict[Future[Outcome], CellKey] = {}
    watcher.cells_begin(len(planned.cells), len(ended))
    try:
        while waiting or running:
            for cell in list(waiting):
                state = [ended.get(key) for key in cell.needs]
                if any(each not in {"ok", None} for each in state):
                    waiting.remove(cell)
                    ended[cell.key] = "not-run"
                    _note_end(place, cell.key, _not_run(cell, ended), watcher)
                elif None not in state and len(running) < cells.room:
                    waiting.remove(cell)
                    running[_submit(planned.suite, cell, place, cells, selection, settings, watcher)] = (
                        cell.key
                    )
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                key = running.pop(future)
                outcome = _outcome(future)
                ended[key] = outcome.status
                _note_end(place, key, outcome, watcher)
    finally:
        watcher.cells_end()


def _finished(suite: Suite, place: Place, cell: Cell) -> bool:
    """Whether a cell needs not be run.

    Raises:
        InputError: There is a run of something else.
    """
    run = place.run(cell.key)
    if not (run / "run.yaml").is_file():
        return False
    found, wanted = (
        each.model_dump(mode="json")
        for each in (load_record(run).experiment, experiment_of(suite, cell))
    )
    if found != wanted:
        raise InputError(
            f"{run} was trained with another experiment: it differs in "
            f"{first_difference(found, wanted)}; delete that folder, or use --overwrite"
        )
    return is_done(place, cell)


def _submit(
    suite: Suite,
    cell: Cell,
    place: Place,
    cells: Cells,
    selection: PluginSelection,
    settings: Settings,
    watcher: Watcher,
) -> "Future[Outcome]":
    job = job_of(
        suite, cell, place, device=settings.device, selection=selection, command=settings.command
    )

    def on_message(message: dict[str, Any]) -> None:
        watcher.cell_tells(cell.key, str(message.get("now") or message.get("note") or ""))

    watcher.cell_tells(cell.key, "starting")
    return cells.submit(job, on_message)


def _outcome(future: "Future[Outcome]") -> Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    return Outcome(status="failed", error=f"its worker failed: {type(error).__name__}: {error}")


def _not_run(cell: Cell, ended: dict[CellKey, str]) -> Outcome:
    key = next(key for key in cell.needs if ended.get(key) not in {"ok", None})
    return Outcome(status="not-run", error=f"it begins with {key}, which is {ended[key]}")


def _note_end(place: Place, key: CellKey, outcome: Outcome, watcher: Watcher) -> None:
    if outcome.status != "ok":
        write_json(place.failure(key), outcome.model_dump())
    watcher.cell_ended(key, outcome)


def _estimate_bounds(planned: Planned, place: Place, watcher: Watcher) -> None:
    bound = planned.suite.bound
    if bound is None:
        return
    tests = dict.fromkeys(test for cell in planned.cells for test in cell.tests)
    with watcher.step("estimating the upper bound", bound.patterns * len(tests)) as advance:
        for test in tests:
            made = planned.sources[test, "test"]
            try:
                known = write_bound(made, place, bound, planned.suite.by or "", advance)
            except InputError as error:
                watcher.note(f"no upper bound for '{test}': {error}")
                continue
            if not known:
                watcher.note(f"no upper bound for '{test}': its source cannot tell one")


def _report(folder: Path, catalogue: Catalogue, watcher: Watcher) -> None:
    try:
        from crystalvision.benchmark.report import write_report
    except ModuleNotFoundError:
        watcher.note("this installation writes no report: crystalvision.benchmark.report is missing")
        return
    try:
        write_report(folder, catalogue)
    except CrystalVisionError as error:  # the table is written, and says what there is to say
        watcher.note(f"no report: {error}")
