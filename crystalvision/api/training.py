"""Training a system, on a dataset or on samples that are made while it trains."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy.typing as npt

from crystalvision import datasets, runs
from crystalvision.api.datasets import open_data, spec_of
from crystalvision.api.progress import TrainingBars
from crystalvision.api.runs import Run
from crystalvision.api.session import Changes, Session, apply_changes
from crystalvision.console import err, progress
from crystalvision.cores import usable_processors
from crystalvision.errors import InputError
from crystalvision.plugins import SESSION
from crystalvision.training import (
    AnyExperiment,
    ClassicalExperiment,
    Machine,
    Online,
    check_experiment,
    is_main_process,
    read_experiment,
)


def train(
    experiment: str | Path | Mapping[str, Any],
    data: datasets.Dataset | str | Path,
    path: str | Path,
    *,
    set: Changes | None = None,  # noqa: A002 - the word that the command has
    subset: str | npt.ArrayLike | None = None,
    seed: int | None = None,
    precision: str | None = None,
    device: str = "cpu",
    devices: int = 1,
    nodes: int = 1,
    strategy: str = "auto",
    accumulate: int = 1,
    compile: bool = False,  # noqa: A002 - the word that the command has
    online: bool | str | Path | Mapping[str, Any] = False,
    epoch_samples: int | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    session: Session | None = None,
) -> Run:
    """Train a system and write its run folder, as `crystalvision train` does.

    If it is stopped, the same call goes on where it was.

    Args:
        experiment: Name of a shipped experiment, path of a YAML file, or the experiment itself.
        data: The dataset to train on.
        path: The run folder to write.
        set: Values of the experiment to change, by path:
            `{"system.branches.classifier.backbone": "resnet18"}`.
        subset: Train on these samples alone, as `Dataset.subset` takes them.
        seed: Replaces the experiment's seed.
        precision: Replaces the experiment's precision: `32`, `bf16` or `16`.
        device: `cpu`, `cuda` or `auto`.
        devices: GPUs of each node, or processes on a CPU; they share each batch.
        nodes: Nodes; torchrun starts the program on each of them.
        strategy: How Lightning spreads the work over several devices.
        accumulate: Parts in which to compute each batch, one after another: less memory.
        compile: Whether to compile the backbones first, which takes minutes.
        online: Learn from samples that are made while it trains, new ones each epoch: those of the
            data's own recipe, or of another one; the data are to validate and to test on.
        epoch_samples: So many each epoch; by default as many as the split `train` has.
        workers: Processes that make them; 0 makes them in this one, between batches.
        overwrite: Replace the run, or unfinished training, that is there.
        session: Who asks; by default this Python session.

    Returns:
        The run.

    Raises:
        InputError: A setting, dataset or path that cannot be used.
        StorageError: The disk refuses.
    """
    session = session or Session.here()
    machine = Machine.called(
        device,
        devices=devices,
        nodes=nodes,
        strategy=strategy,
        compile=compile,
        accumulate=accumulate,
    )
    if is_main_process(machine):
        runs.check_free(Path(path), overwrite=overwrite)
    described = _describe(experiment, set or {}, seed, precision, session)
    dataset = open_data(data, subset)
    made = _plan_online(dataset, online, epoch_samples, workers, session)
    if is_main_process(machine):
        session.begin(machine.device.type)
        for doubt in datasets.doubts(dataset):
            err.print(f"note: {doubt}", soft_wrap=True)
    with ExitStack() as stack:
        if isinstance(described, ClassicalExperiment):
            if made is not None:
                raise InputError(
                    "a classical system is fitted in one step, to patterns that are there: leave "
                    "out --online"
                )
            run = _fit_classical(
                described, dataset, Path(path), machine, session, stack, overwrite=overwrite
            )
        else:
            run = runs.train_run(
                described,
                dataset,
                path,
                catalogue=session.catalogue,
                machine=machine,
                online=made,
                overwrite=overwrite,
                listener=TrainingBars(stack),
                reading=lambda total: stack.enter_context(progress("reading patterns", total)),
                selection=session.selection,
                command=session.command,
                keep_threads=session.keep_threads,
            )
    return Run(run, session)


def _describe(
    experiment: str | Path | Mapping[str, Any],
    changes: Changes,
    seed: int | None,
    precision: str | None,
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
    changed = apply_changes(data, changes, where)
    replaced = {"seed": seed, "precision": precision}
    changed |= {key: value for key, value in replaced.items() if value is not None}
    return check_experiment(changed, where)


def _plan_online(
    dataset: datasets.Dataset,
    recipe: bool | str | Path | Mapping[str, Any],
    samples: int | None,
    workers: int | None,
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


def _fit_classical(
    experiment: ClassicalExperiment,
    dataset: datasets.Dataset,
    path: Path,
    machine: Machine,
    session: Session,
    stack: ExitStack,
    *,
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
