"""From an experiment and a dataset to a run folder."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch

from crystalvision.datasets import Dataset
from crystalvision.plugins import Catalogue
from crystalvision.runs._folder import check_free, whole_folder
from crystalvision.runs._record import RunRecord, dataset_record, environment, plugin_records
from crystalvision.runs._run import Run, write_run
from crystalvision.training import Experiment, Listener, Patterns, fit, open_patterns, plan
from crystalvision.training import Plan as _Plan

SPLITS = ("train", "validation", "test")


class Reading(Protocol):
    """Told how the reading of the patterns proceeds."""

    def __call__(self, total: int) -> Callable[[int], None]:
        """Reading of `total` patterns begins; what is returned is told how many more are read."""


def train_run(
    experiment: Experiment,
    dataset: Dataset,
    path: Path | str,
    *,
    catalogue: Catalogue | None = None,
    device: torch.device | None = None,
    overwrite: bool = False,
    listener: Listener | None = None,
    reading: Reading | None = None,
) -> Run:
    """Train an experiment's system on a dataset and write the run.

    Everything that can be wrong is checked before patterns are read.

    Args:
        experiment: What to train, and how.
        dataset: What to train it on: its splits `train` and `validation`.
        path: The folder to write.
        catalogue: Where parts are looked up; by default what is installed.
        device: Where to train; by default the CPU.
        overwrite: Whether a run at `path` may be replaced.
        listener: Told how the training proceeds.
        reading: Told how the reading of the patterns proceeds.

    Raises:
        InputError: A setting, dataset or path that cannot be used.
        StorageError: The disk refuses.
    """
    path = Path(path)
    catalogue = catalogue or Catalogue.load()
    device = device or torch.device("cpu")
    check_free(path, overwrite=overwrite)
    ready = plan(experiment, dataset, catalogue)
    plugins = plugin_records(experiment.system, catalogue)
    with whole_folder(path) as folder:  # an unwritable place is found before the training
        started = time.perf_counter()
        training, validation = _read(dataset, ready, reading)
        history = fit(
            ready.system,
            ready.phases,
            training,
            validation,
            augment=experiment.augment,
            seed=experiment.seed,
            machine=machine,
            listener=listener,
        )
        record = RunRecord(
            experiment=experiment,
            dataset=dataset_record(dataset),
            class_names=dataset.header.class_names,
            class_severities=dataset.header.class_severities,
            image_shape=dataset.header.image_shape,
            calibration=tuple(axis.model_dump(mode="json") for axis in dataset.header.axes),
            plugins=plugins,
            phases=tuple(history.phases),
            training_seconds=round(time.perf_counter() - started, 3),
            device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            environment=environment(),
        )
        split = {int(index): name for name in SPLITS for index in dataset.split(name)}
        write_run(folder, record, ready.system, history.epochs, split)
    return Run(path, record, ready.system)


def _read(dataset: Dataset, ready: _Plan, reading: Reading | None) -> tuple[Patterns, Patterns]:
    splits = [dataset.split(name) for name in ("train", "validation")]
    on_read = reading(sum(map(len, splits))) if reading else lambda _count: None
    training, validation = (
        open_patterns(dataset, indices, ready.preprocess, on_read=on_read) for indices in splits
    )
    return training, validation
