"""Runs the cells of a suite, each as soon as those that it begins with have ended."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import cache
from pathlib import Path
from typing import Any

from crystalvision.benchmarks._cells import Cell, CellKey
from crystalvision.benchmarks._executors import Cells
from crystalvision.benchmarks._experiments import experiment_of
from crystalvision.benchmarks._folder import BenchmarkFolder, write_json
from crystalvision.benchmarks._job import job_of
from crystalvision.benchmarks._outcome import Outcome
from crystalvision.benchmarks._plan import Planned, Settings, Watcher
from crystalvision.benchmarks._suite import Suite
from crystalvision.benchmarks._table import is_done, is_trained
from crystalvision.config import first_difference
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.evaluation import load_metrics
from crystalvision.plugins import PluginSelection
from crystalvision.runs import load_record


class Loop:
    """The cells of a suite on their way.

    Args:
        planned: The suite.
        place: Its folder.
        cells: Where cells run.
        selection: The plugins that they load.
        settings: How they run.
        watcher: Told how they proceed.

    Raises:
        InputError: There is a run of something else.
    """

    def __init__(
        self,
        planned: Planned,
        place: BenchmarkFolder,
        cells: Cells,
        selection: PluginSelection,
        settings: Settings,
        watcher: Watcher,
    ) -> None:
        self._suite = planned.suite
        self._place = place
        self._cells = cells
        self._selection = selection
        self._settings = settings
        self._watcher = watcher
        identity = cache(_identity)
        self._ended = {
            cell.key: "ok"
            for cell in planned.cells
            if _finished(planned.suite, place, cell, identity)
        }
        self._waiting = [cell for cell in planned.cells if cell.key not in self._ended]
        self._running: dict[Future[Outcome], CellKey] = {}
        watcher.cells_begin(len(planned.cells), len(self._ended))

    def run(self) -> None:
        """Run what is left to run.

        Raises:
            StorageError: The disk refuses.
        """
        for cell in self._waiting:
            self._place.failure(cell.key).unlink(missing_ok=True)  # it is tried again
        try:
            while self._waiting or self._running:
                self._start()
                for future in wait(self._running, return_when=FIRST_COMPLETED).done:
                    self._end(self._running.pop(future), _outcome(future))
        finally:
            self._watcher.cells_end()

    def _start(self) -> None:
        """Start what can be, and give up what cannot any more."""
        for cell in list(self._waiting):
            states = {key: self._ended.get(key) for key in cell.needs}
            lost = [
                key
                for key, state in states.items()
                if state not in {"ok", None} and not is_trained(self._place, key)
            ]
            if lost:
                self._waiting.remove(cell)
                error = f"it begins with {lost[0]}, which is {self._ended[lost[0]]}"
                self._end(cell.key, Outcome(status="not-run", error=error))
            elif None not in states.values() and len(self._running) < self._cells.room:
                self._waiting.remove(cell)
                self._running[self._submit(cell)] = cell.key

    def _submit(self, cell: Cell) -> "Future[Outcome]":
        job = job_of(
            self._suite,
            cell,
            self._place,
            device=self._settings.device,
            selection=self._selection,
            command=self._settings.command,
        )

        def on_message(message: dict[str, Any]) -> None:
            self._watcher.cell_reports(
                cell.key, str(message.get("now") or message.get("note") or "")
            )

        self._watcher.cell_reports(cell.key, "starting")
        return self._cells.submit(job, on_message)

    def _end(self, key: CellKey, outcome: Outcome) -> None:
        self._ended[key] = outcome.status
        if outcome.status != "ok":
            write_json(self._place.failure(key), outcome.model_dump())
        self._watcher.cell_ended(key, outcome)


def _finished(
    suite: Suite, place: BenchmarkFolder, cell: Cell, identity: Callable[[Path], str]
) -> bool:
    """Whether a cell needs not be run.

    Args:
        suite: The suite.
        place: Its folder.
        cell: The cell.
        identity: Tells which dataset lies at a path.

    Raises:
        InputError: There is a run of something else.
    """
    run = place.run(cell.key)
    if not is_trained(place, cell.key):
        return False
    record = load_record(run)
    found, wanted = (
        each.model_dump(mode="json") for each in (record.experiment, experiment_of(suite, cell))
    )
    if found != wanted:
        raise InputError(
            f"{run} was trained with another experiment: it differs in "
            f"{first_difference(found, wanted)}; delete that folder, or use --overwrite"
        )
    data = place.training_data(cell.key.dataset, suite.datasets[cell.key.dataset], cell.key.size)
    if record.dataset.identity != identity(data):
        raise InputError(
            f"{run} was trained on other data than {data} holds; use --overwrite to begin anew"
        )
    return is_done(place, cell) and all(
        load_metrics(run / "evaluations" / test).dataset_identity == identity(place.test_data(test))
        for test in cell.tests
    )


def _identity(path: Path) -> str:
    return Dataset.open(path).identity


def _outcome(future: "Future[Outcome]") -> Outcome:
    if future.cancelled():  # Dask does that when it loses its scheduler
        return Outcome(status="failed", error="its cluster gave it up")
    error = future.exception()
    if error is None:
        return future.result()
    return Outcome(status="failed", error=f"its worker failed: {type(error).__name__}: {error}")
