"""Runs that can be asked and judged, and training them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from crystalvision import datasets, runs
from crystalvision.api.datasets import spec_of
from crystalvision.api.progress import TrainingBars
from crystalvision.api.session import Changes, Session, apply_changes, registered_catalogue
from crystalvision.console import err, progress
from crystalvision.cores import usable_processors
from crystalvision.errors import InputError
from crystalvision.evaluation import Evaluation, evaluate, save
from crystalvision.measured_files import Readers
from crystalvision.models import listed
from crystalvision.plugins import SESSION
from crystalvision.prediction import (
    UNSEEN,
    Predictions,
    Predictor,
    Stated,
    flat_columns,
    join,
    matched,
    open_sources,
)
from crystalvision.training import (
    AnyExperiment,
    ClassicalExperiment,
    Machine,
    Online,
    check_experiment,
    choose_device,
    is_main_process,
    read_experiment,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a run says of some patterns.

    Attributes:
        names: What each pattern is called, (n,).
        predictions: What is said of them.
    """

    names: tuple[str, ...]
    predictions: Predictions

    @property
    def table(self) -> "pd.DataFrame":
        """A row for each pattern: each target, how probable its classes are, and the novelty."""
        import pandas as pd

        columns = flat_columns(self.predictions)
        return pd.DataFrame(columns, index=pd.Index(self.names, name="pattern"))

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return str(self.table.to_html(float_format="{:.3f}".format))


class Run:
    """A trained system in its folder.

    Attributes:
        path: Its folder.
        record: What `run.yaml` says.
        system: The trained network or classical system.
    """

    def __init__(self, run: runs.Run) -> None:
        """Take a loaded run; `Run.load` loads one."""
        self._run = run
        self.path = run.path
        self.record = run.record
        self.system = run.system

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a run folder.

        Raises:
            InputError: It is no run, or a part that it was trained with is not there.
        """
        return cls(runs.Run.load(path, registered_catalogue()))

    def evaluate(
        self,
        data: datasets.Dataset | str | Path,
        *,
        split: Literal["train", "validation", "test", "all"] | None = None,
        name: str | None = None,
        device: str = "cpu",
        calibrated: bool = True,
    ) -> Evaluation:
        """Judge the run, and keep the metrics and predictions in its folder.

        Args:
            data: The dataset.
            split: Part of it; by default `test` of the dataset that the run was trained on, `all`
                of any other.
            name: Name of the evaluation; by default that of dataset and split.
            device: Where to predict: `cpu`, `cuda` or `auto`.
            calibrated: Whether to use the run's calibration.

        Returns:
            The evaluation; its `metrics` have every number, with intervals.

        Raises:
            InputError: Data that do not fit the run, or that it was trained on.
        """
        dataset = open_data(data)
        with progress("predicting", None) as advance:
            found = evaluate(
                self._run,
                dataset,
                catalogue=registered_catalogue(),
                split=split,
                device=choose_device(device),
                calibrated=calibrated,
                on_batch=advance,
            )
        save(found, self.path, name)
        return found

    def predict(
        self,
        *patterns: str | Path | np.ndarray[Any, Any],
        device: str = "cpu",
        calibrated: bool = True,
        pixel_size_inv_angstrom: float | None = None,
        centre: tuple[float, float] | None = None,
        energy_kev: float | None = None,
        wavelength_angstrom: float | None = None,
        anode: str | None = None,
    ) -> Predicted:
        """Say what patterns show.

        Files that state how they were recorded are brought onto the run's axes; what is done to
        them is said on the standard error.

        Args:
            *patterns: Measured files, folders of them, stacks, `DATA.zarr[0:10]`, as `crystalvision
                predict` takes them; or raw counts (*grid), (c, *grid) or (n, c, *grid).
            device: Where to predict: `cpu`, `cuda` or `auto`.
            calibrated: Whether to use the run's calibration.
            pixel_size_inv_angstrom: Size of a pixel of files that do not state it [1/Å].
            centre: Row and column of their direct beam.
            energy_kev: Energy of their beam [keV].
            wavelength_angstrom: Wavelength of files of powders that do not state it [Å].
            anode: Anode of their X-ray tube, instead.

        Raises:
            InputError: No pattern, or one that is not like those that the run was trained on.
        """
        if not patterns:
            raise InputError("predict: no pattern was given; give files or arrays of counts")
        stated = Stated(pixel_size_inv_angstrom, centre, energy_kev, wavelength_angstrom, anode)
        predictor = Predictor(self._run, choose_device(device), calibrated=calibrated)
        readers = Readers(registered_catalogue())
        names: list[str] = []
        said: list[Predictions] = []
        for place, pattern in enumerate(patterns):
            of_array = isinstance(pattern, np.ndarray)
            if isinstance(pattern, np.ndarray):
                found = _of_array(pattern, place, self.record.image_shape)
            else:
                found = _of_path(str(pattern), predictor, stated, readers)
            for name, image in found:
                names.append(name)
                prepared = predictor.prepare(image, name, None if of_array else UNSEEN)
                said.append(predictor.predict(prepared[None], gap_values=UNSEEN))
        return Predicted(tuple(names), join(said))

    def __repr__(self) -> str:
        phases = ", ".join(
            f"{phase.name}: {phase.monitor} {phase.best_value:.4f}" for phase in self.record.phases
        )
        return f"Run({str(self.path)!r}): {listed(self.record.targets)}; {phases}"

    def _repr_html_(self) -> str:
        import pandas as pd

        rows = [
            {
                "phase": phase.name,
                "epochs": phase.epochs,
                "best": phase.best_epoch,
                phase.monitor: phase.best_value,
                "seconds": phase.seconds,
            }
            for phase in self.record.phases
        ]
        table = pd.DataFrame(rows).to_html(index=False, float_format="{:.4g}".format, na_rep="")
        return f"<p>{escape(repr(self))}</p>{table}"


def train(
    experiment: str | Path | Mapping[str, Any],
    data: datasets.Dataset | str | Path,
    path: str | Path,
    *,
    set: Changes | None = None,  # noqa: A002 - the word that the command has
    seed: int | None = None,
    online: bool | str | Path | Mapping[str, Any] = False,
    epoch_samples: int | None = None,
    workers: int | None = None,
    device: str = "cpu",
    overwrite: bool = False,
) -> Run:
    """Train a system and write its run folder, as `crystalvision train` does.

    If it is stopped, the same call goes on where it was.

    Args:
        experiment: Name of a shipped experiment, path of a YAML file, or the experiment itself.
        data: The dataset to train on, or a subset of one.
        path: The run folder to write.
        set: Values of the experiment to change, by path:
            `{"system.branches.classifier.backbone": "resnet18"}`.
        seed: Replaces the experiment's seed.
        online: Learn from samples that are made while it trains, new ones each epoch: those of the
            data's own recipe, or of another one; the data are to validate and to test on.
        epoch_samples: So many each epoch; by default as many as the split `train` has.
        workers: Processes that make them; 0 makes them in this one, between batches.
        device: `cpu`, `cuda` or `auto`.
        overwrite: Replace the run, or unfinished training, that is there.

    Returns:
        The run.

    Raises:
        InputError: A setting, dataset or path that cannot be used.
        StorageError: The disk refuses.
    """
    session = Session.here()
    described = describe_experiment(experiment, set=set or {}, seed=seed, session=session)
    dataset = open_data(data)
    made = plan_online(dataset, online, epoch_samples, workers, session=session)
    return Run(
        train_system(
            described,
            dataset,
            Path(path),
            Machine.called(device),
            online=made,
            session=session,
            overwrite=overwrite,
        )
    )


def plan_online(
    dataset: datasets.Dataset,
    recipe: bool | str | Path | Mapping[str, Any],
    samples: int | None,
    workers: int | None,
    *,
    session: Session,
) -> Online | None:
    """What makes samples while a system trains, if that is asked for; see `train`.

    Raises:
        InputError: The dataset was made by no source, or there is no such recipe.
    """
    if recipe is False:
        if samples is not None or workers is not None:
            raise InputError(
                "a number of samples an epoch, or of workers, is for samples that are made while "
                "it trains: add --online"
            )
        return None
    if recipe is True:
        made = dataset.header.provenance
        if not isinstance(made, datasets.Simulated) or not made.source:
            raise InputError(
                f"{dataset.path} was made by no source, so no more samples like its own can be "
                "made; give a recipe that makes them"
            )
        recipe = made.shown()
    spec = spec_of(recipe, device="cpu", session=session)
    if workers is None:
        workers = max(1, usable_processors() - 1)
        if session.catalogue.entry("source", spec.name).plugin.distribution == SESSION:
            workers = 0  # other processes do not know it
    return Online(spec, len(dataset.split("train")) if samples is None else samples, workers)


def describe_experiment(
    experiment: str | Path | Mapping[str, Any],
    *,
    set: Changes = (),  # noqa: A002 - the word that the command has
    seed: int | None = None,
    session: Session,
) -> AnyExperiment:
    """The experiment that was asked for, checked; see `train`.

    Raises:
        InputError: A setting is wrong.
    """
    where = "experiment" if isinstance(experiment, Mapping) else str(experiment)
    data = (
        experiment if isinstance(experiment, Mapping) else read_experiment(where, session.catalogue)
    )
    changed = apply_changes(data, set, where)
    if seed is not None:
        changed["seed"] = seed
    return check_experiment(changed, where)


def train_system(
    experiment: AnyExperiment,
    dataset: datasets.Dataset,
    path: Path,
    machine: Machine,
    *,
    session: Session,
    overwrite: bool,
    online: Online | None = None,
) -> runs.Run:
    """Train what was described, telling how that proceeds; see `train`.

    Raises:
        InputError: A dataset, device or path that cannot be used.
        StorageError: The disk refuses.
    """
    if is_main_process(machine):
        for doubt in datasets.doubts(dataset):
            err.print(f"note: {doubt}", soft_wrap=True)
    with ExitStack() as stack:
        if isinstance(experiment, ClassicalExperiment):
            if online is not None:
                raise InputError(
                    "a classical system is fitted in one step, to patterns that are there: leave "
                    "out --online"
                )
            return _fit_classical(experiment, dataset, path, machine, session, stack, overwrite)
        return runs.train_run(
            experiment,
            dataset,
            path,
            catalogue=session.catalogue,
            machine=machine,
            online=online,
            overwrite=overwrite,
            listener=TrainingBars(stack),
            reading=lambda total: stack.enter_context(progress("reading patterns", total)),
            selection=session.selection,
            command=session.command,
            keep_threads=session.keep_threads,
        )


def _fit_classical(
    experiment: ClassicalExperiment,
    dataset: datasets.Dataset,
    path: Path,
    machine: Machine,
    session: Session,
    stack: ExitStack,
    overwrite: bool,
) -> runs.Run:
    if machine != Machine():
        raise InputError(
            "a classical system is fitted by one process on the CPU: leave out --device, "
            "--devices, --nodes, --strategy, --accumulate and --compile"
        )
    total = sum(len(dataset.split(name)) for name in ("train", "validation"))
    # Reading and describing are one bar: neither says much alone.
    advance = stack.enter_context(progress("computing features", 2 * total))

    def on_fit(patterns: int, features: int) -> None:
        stack.pop_all().close()
        name = experiment.system.estimator.name
        err.print(f"fitting {name} to {patterns} patterns of {features} features")
        stack.enter_context(progress(f"fitting {name}", None))

    return runs.train_classical_run(
        experiment,
        dataset,
        path,
        catalogue=session.catalogue,
        command=session.command,
        overwrite=overwrite,
        on_read=advance,
        on_features=advance,
        on_fit=on_fit,
    )


def open_data(data: datasets.Dataset | str | Path) -> datasets.Dataset:
    """A dataset, or the one at a path."""
    return data if isinstance(data, datasets.Dataset) else datasets.Dataset.open(data)


def _of_array(
    pattern: np.ndarray[Any, Any], place: int, image_shape: tuple[int, ...]
) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The patterns of an array, each with what it is called."""
    stack = pattern if pattern.ndim > len(image_shape) else pattern[None]
    for number, image in enumerate(stack):
        yield (f"array {place}[{number}]" if len(stack) > 1 else f"array {place}"), image


def _of_path(
    argument: str, predictor: Predictor, stated: Stated, readers: Readers
) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The patterns of a file, folder or dataset on the run's axes, NaN for what was not seen."""
    opened = open_sources(argument, predictor.record.image_shape, readers)
    sources, fits = matched(predictor, opened, stated)
    for note in (note for _, fit in fits for note in fit.notes):
        err.print(f"note: {note}", style="dim", markup=False, soft_wrap=True)
    for source in sources:
        for number, name in enumerate(source.names):
            yield name, source.read([number])[0]
