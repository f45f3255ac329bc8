"""What the process of a cell is to do; it goes through a pipe, or to another machine, as JSON."""

from pathlib import Path
from typing import Any

from crystalvision.benchmarks._cells import Cell
from crystalvision.benchmarks._experiments import experiment_of
from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks._suite import Suite
from crystalvision.config import Config
from crystalvision.datasets import Despite
from crystalvision.plugins import PluginSelection


class Job(Config):
    """One cell.

    Attributes:
        folder: The benchmark's folder; all other paths are relative to it.
        run: Where the run goes.
        dataset: What it is trained on.
        tests: What it is judged on, by the name of the evaluation.
        despite: Differences from what is trained on that a test is about, by its name.
        experiment: What is trained.
        device: Where: `cpu` or `cuda`.
        plugin_files: Single-file plugins to load.
        blocked_plugins: Plugins to leave out.
        command: The command line, for the record.
    """

    folder: str
    run: str
    dataset: str
    tests: dict[str, str]
    despite: dict[str, tuple[Despite, ...]]
    experiment: dict[str, Any]
    device: str
    plugin_files: tuple[str, ...]
    blocked_plugins: tuple[str, ...]
    command: tuple[str, ...]

    @property
    def selection(self) -> PluginSelection:
        """The plugins to load."""
        files = tuple(Path(file) for file in self.plugin_files)
        return PluginSelection(files, frozenset(self.blocked_plugins))


def job_of(
    suite: Suite,
    cell: Cell,
    place: BenchmarkFolder,
    *,
    device: str,
    selection: PluginSelection,
    command: tuple[str, ...],
) -> Job:
    """The job of a cell.

    Raises:
        InputError: Its experiment is wrong.
    """
    key, folder = cell.key, place.folder
    data = place.training_data(key.dataset, suite.datasets[key.dataset], key.size)
    return Job(
        folder=str(folder.resolve()),
        run=key.folder,
        dataset=str(data.relative_to(folder)),
        tests={name: str(place.test_data(name).relative_to(folder)) for name in cell.tests},
        despite={name: suite.datasets[name].despite for name in cell.tests},
        experiment=experiment_of(suite, cell).model_dump(mode="json"),
        device=device,
        plugin_files=tuple(str(file.resolve()) for file in selection.files),
        blocked_plugins=tuple(sorted(selection.blocked)),
        command=command,
    )
