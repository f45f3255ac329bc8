"""From an experiment and a dataset to a run folder."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from crystalvision.calibration import PredictionCalibration, fit_calibration, save_calibration
from crystalvision.datasets import Dataset
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.runs._curves import TENSORBOARD, Curves
from crystalvision.runs._folder import check_free
from crystalvision.runs._listening import Watched
from crystalvision.runs._meeting import joined_store
from crystalvision.runs._record import (
    SPLITS,
    OnlineRecord,
    PluginRecord,
    RunRecord,
    plugin_records,
    record_of,
    splits_of,
)
from crystalvision.runs._run import Run, write_run
from crystalvision.runs._threads import threads_of
from crystalvision.runs._unfinished import Unfinished, file_hash, partial_path, unfinished
from crystalvision.runs._workers import workers
from crystalvision.storage import Destination, TakenError, disk_errors, place_folder
from crystalvision.training import (
    DivergenceError,
    Experiment,
    History,
    Listener,
    Machine,
    Online,
    OnlinePatterns,
    OnlineSamples,
    Patterns,
    ProcessGroup,
    Silent,
    check_first_weights,
    fit,
    in_batches_that_fit,
    is_main_process,
    notes_on_few,
    open_patterns,
    plan,
    process_group,
)
from crystalvision.training import Plan as _Plan

_IDENTITY_FORMAT = 2  # what a checkpoint means; change it when an old one cannot go on


class Reading(Protocol):
    """Told how the reading of the patterns proceeds."""

    def __call__(self, total: int) -> Callable[[int], None]:
        """Reading of `total` patterns begins; what is returned is told how many more are read."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be trained, checked."""

    experiment: Experiment
    dataset: Dataset
    path: Path
    ready: _Plan
    plugins: tuple[PluginRecord, ...]
    machine: Machine
    command: tuple[str, ...]
    made: OnlineSamples | None = None

    @property
    def online(self) -> OnlineRecord | None:
        """What the run remembers of samples that were made while it trained."""
        if self.made is None:
            return None
        return OnlineRecord(samples=self.made.online.samples, made=self.made.made)


def train_run(
    experiment: Experiment,
    dataset: Dataset,
    path: Path | str,
    *,
    catalogue: Catalogue | None = None,
    machine: Machine | None = None,
    online: Online | None = None,
    overwrite: bool = False,
    listener: Listener | None = None,
    reading: Reading | None = None,
    selection: PluginSelection | None = None,
    command: Sequence[str] = (),
    keep_threads: bool = False,
) -> Run:
    """Train an experiment's system on a dataset and write the run.

    Everything that can be wrong is checked before patterns are read. While it trains, checkpoints
    are in `PATH.partial`; a call with the same experiment and dataset continues from there, and
    ends with the same weights as if it had not been stopped.

    Args:
        experiment: What to train, and how.
        dataset: What to train it on: its splits `train` and `validation`.
        online: What makes the samples to learn from while it trains, instead of the split `train`.
        path: The folder to write.
        catalogue: Where parts are looked up; by default what is installed.
        machine: Where to train; by default on the CPU, in one process.
        overwrite: Whether a run at `path`, or another unfinished training there, may be replaced.
        listener: Told how the training proceeds.
        reading: Told how the reading of the patterns proceeds.
        selection: The plugins that further processes load.
        command: The command line, for the record.
        keep_threads: Whether a training that goes on may change the number of torch's threads to
            that with which it began; otherwise a difference is noted.

    Raises:
        InputError: A setting, dataset or path that cannot be used.
        StorageError: The disk refuses.
    """
    path, machine = Path(path), machine or Machine()
    catalogue = catalogue or Catalogue.load(selection)
    listener = listener or Silent()
    destination = check_free(path, overwrite=overwrite) if is_main_process(machine) else None
    machine.check_precision(experiment.precision)
    ready = plan(experiment, dataset, catalogue, online=online is not None)
    epochs = sum(phase.epochs for phase in ready.phases)
    made = None if online is None else online.drawn(dataset, epochs, experiment.seed, catalogue)
    notes = [*check_first_weights(experiment.system, dataset), *notes_on_few(dataset)]
    plugins = plugin_records(experiment, catalogue, ready.system.targets)
    job = _Job(experiment, dataset, path, ready, plugins, machine, tuple(command), made)
    if destination is None:
        return _train_as_worker(job)
    for note in notes:
        listener.note(note)
    identity = _identity(job)
    with (
        unfinished(path, identity, overwrite=overwrite, note=listener.note) as folder,
        threads_of(folder, listener.note, keep=keep_threads),
        ExitStack() as stack,
    ):
        store = stack.enter_context(workers(machine, _settings(job, selection)))
        group = stack.enter_context(process_group(machine, store))
        history, trust = _train(job, folder, group, listener, reading)
        record = _record(job, history)  # with the threads of one process
        stack.close()
        _write(job, folder, destination, record, history, trust)
    return Run(path, record, ready.system, ready.preprocess)


def _train(
    job: _Job, folder: Unfinished, group: ProcessGroup, listener: Listener, reading: Reading | None
) -> tuple[History, PredictionCalibration]:
    """Train, showing the curves meanwhile, and calibrate what came of it."""
    found = folder.latest()
    group.wait()  # no process reads the checkpoint before it is settled which
    training, validation = _read(job, reading)
    curves = Curves(folder.path / TENSORBOARD, found.progress.epochs if found else ())
    try:
        history = _fit(job, training, validation, group, folder, Watched(listener, curves.add))
    except DivergenceError:
        folder.discard()  # it would diverge again
        raise
    finally:
        curves.close()
    training.begin(0)  # what is compared with later does not depend on where it was stopped
    seed, device = job.experiment.seed, group.device

    def fitted(batch_size: int) -> PredictionCalibration:
        return fit_calibration(
            job.ready.system,
            training,
            validation,
            device=device,
            seed=seed,
            batch_size=batch_size,
        )

    return history, in_batches_that_fit(fitted)


def _train_as_worker(job: _Job) -> Run:
    """Train as one of the further processes, which write nothing."""
    with process_group(job.machine, joined_store()) as group:
        group.wait()
        training, validation = _read(job, None)
        folder = Unfinished(partial_path(job.path), Silent().note)
        history = _fit(job, training, validation, group, folder, Silent())
    return Run(job.path, _record(job, history), job.ready.system, job.ready.preprocess)


def _fit(
    job: _Job,
    training: Patterns,
    validation: Patterns,
    group: ProcessGroup,
    folder: Unfinished,
    listener: Listener,
) -> History:
    return fit(
        job.ready.system,
        job.ready.phases,
        training,
        validation,
        scorers=job.ready.scorers,
        augment=job.ready.augmentations,
        precision=job.experiment.precision,
        seed=job.experiment.seed,
        machine=job.machine,
        group=group,
        listener=listener,
        checkpoints=folder,
    )


def _record(job: _Job, history: History) -> RunRecord:
    return record_of(
        job.experiment,
        job.dataset,
        job.plugins,
        history.phases,
        job.ready.system.targets,
        seconds=history.seconds,
        command=job.command,
        device=job.machine.name,
        processes=job.machine.processes,
        online=job.online,
    )


def _write(
    job: _Job,
    folder: Unfinished,
    destination: Destination,
    record: RunRecord,
    history: History,
    trust: PredictionCalibration,
) -> None:
    """Write the run beside the checkpoints, and put it in its place when it is whole."""
    whole = folder.path / "run"
    with disk_errors(job.path):
        shutil.rmtree(whole, ignore_errors=True)
        whole.mkdir()
        save_calibration(trust, whole)
        write_run(whole, record, job.ready.system, history.epochs, splits_of(job.dataset))
        (folder.path / TENSORBOARD).rename(whole / TENSORBOARD)
    try:
        place_folder(whole, destination)
    except TakenError:
        folder.discard()  # the run is whole, under another name
        raise
    folder.discard()


def _identity(job: _Job) -> dict[str, Any]:
    """What must be the same for a training to go on."""
    return {
        "format": _IDENTITY_FORMAT,
        "experiment": job.experiment.model_dump(mode="json"),
        "dataset": job.dataset.identity,
        "online": job.online and job.online.model_dump(mode="json"),
        "splits": {name: _hash(job.dataset.numbers(job.dataset.split(name))) for name in SPLITS},
        "plugins": [
            {**plugin.model_dump(mode="json"), "file": file_hash(plugin.distribution)}
            for plugin in job.plugins
        ],
    }


def _hash(indices: np.ndarray) -> str:
    """The hash of a split, which can be assigned anew without changing the dataset."""
    return hashlib.sha256(np.ascontiguousarray(indices).tobytes()).hexdigest()


def _settings(job: _Job, selection: PluginSelection | None) -> Mapping[str, Any]:
    """The job as `crystalvision.runs._worker` reads it."""
    selection = selection or PluginSelection.from_environment()
    chosen, made = job.dataset.chosen, job.made
    return {
        "experiment": job.experiment.model_dump(mode="json"),
        "dataset": str(job.dataset.path),
        "subset": None if chosen is None else chosen.tolist(),
        "online": made
        and {
            "source": made.online.spec.name,
            "recipe": dict(made.online.spec.recipe),
            "device": made.online.spec.device,
            "samples": made.online.samples,
            "workers": made.online.workers,
        },
        "path": str(job.path),
        "machine": {**asdict(job.machine), "device": job.machine.device.type},
        "plugin_files": [str(file) for file in selection.files],
        "blocked_plugins": sorted(selection.blocked),
    }


def _read(job: _Job, reading: Reading | None) -> tuple[Patterns, Patterns]:
    """Patterns to learn from, and to validate with."""
    dataset, ready = job.dataset, job.ready
    names = ("validation",) if job.made else ("train", "validation")
    splits = [dataset.split(name) for name in names]
    on_read = reading(sum(map(len, splits))) if reading else lambda _count: None
    *training, validation = (
        open_patterns(
            dataset,
            indices,
            ready.preprocess,
            ready.system.targets,
            on_read=on_read,
            augmented=bool(ready.augmentations) and name == "train",
        )
        for name, indices in zip(names, splits, strict=True)
    )
    if job.made is not None:
        return OnlinePatterns(job.made, ready.preprocess, ready.system.targets), validation
    return training[0], validation
