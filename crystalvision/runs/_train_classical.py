"""From a classical experiment and a dataset to a run folder."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from crystalvision.calibration import fit_calibration, save_calibration
from crystalvision.classical import build_classical, fit_classical
from crystalvision.datasets import Dataset
from crystalvision.inputs import build_preprocess
from crystalvision.plugins import Catalogue
from crystalvision.runs._folder import check_free
from crystalvision.runs._record import (
    plugin_records,
    record_of,
    splits_of,
)
from crystalvision.runs._run import Run, write_run
from crystalvision.storage import whole_folder
from crystalvision.training import (
    ClassicalExperiment,
    PhaseRecord,
    Scorer,
    build_scorers,
    check_splits,
    open_patterns,
)


def train_classical_run(
    experiment: ClassicalExperiment,
    dataset: Dataset,
    path: Path | str,
    *,
    catalogue: Catalogue | None = None,
    overwrite: bool = False,
    on_read: Callable[[int], None] = lambda count: None,
    on_features: Callable[[int], None] = lambda count: None,
    on_fit: Callable[[int, int], None] = lambda patterns, features: None,
    command: Sequence[str] = (),
) -> Run:
    """Fit an experiment's classical system to a dataset and write the run.

    The record has one phase, of no epochs, which tells the score of the validation patterns.

    Args:
        experiment: What to fit.
        dataset: What to fit it to: its split `train`; its split `validation` is only judged.
        path: The folder to write.
        catalogue: Where parts are looked up; by default what is installed.
        overwrite: Whether a run at `path` may be replaced.
        on_read: Told how many more patterns are read.
        on_features: Told how many more patterns are described.
        on_fit: Told numbers of patterns and features when the estimator begins to learn.
        command: The command line, for the record.

    Raises:
        InputError: A setting, dataset or path that cannot be used.
        PluginError: A part fails.
        StorageError: The disk refuses.
    """
    path = Path(path)
    catalogue = catalogue or Catalogue.load()
    destination = check_free(path, overwrite=overwrite)
    header = dataset.header
    preprocess = build_preprocess(experiment.input, catalogue, header.axes)
    system = build_classical(
        experiment.system,
        catalogue,
        preprocess=preprocess,
        channels=header.image_shape[0],
        targets=header.targets,
        seed=experiment.seed,
    )
    plugins = plugin_records(experiment, catalogue, system.targets)
    scorer = build_scorers(system.targets, catalogue)[system.target.name]
    check_splits(dataset)
    # An unwritable place is found before the work.
    with whole_folder(destination, keep=True) as folder:
        started = time.perf_counter()
        training, validation = (
            open_patterns(
                dataset,
                dataset.split(name),
                preprocess,
                system.targets,
                on_read=on_read,
                augmented=False,
            )
            for name in ("train", "validation")
        )
        said = fit_classical(system, training, validation, on_features=on_features, on_fit=on_fit)
        seconds = round(time.perf_counter() - started, 3)
        truth = validation.targets[system.target.name]
        phases = (_phase(scorer, float(scorer.total(said, truth)) / len(validation), seconds),)
        record = record_of(
            experiment, dataset, plugins, phases, system.targets, seconds=seconds, command=command
        )
        save_calibration(
            fit_calibration(system, training, validation, seed=experiment.seed), folder
        )
        write_run(folder, record, system, [], splits_of(dataset))
    return Run(path, record, system, preprocess)


def _phase(scorer: Scorer, score: float, seconds: float) -> PhaseRecord:
    return PhaseRecord(
        name="fit",
        train=("estimator",),
        epochs=0,
        monitor=f"validation_{scorer.task.score_name}",
        best_epoch=0,
        best_value=score,
        seconds=seconds,
    )
