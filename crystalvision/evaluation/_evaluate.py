"""Judges a run on a dataset."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import torch

from crystalvision.datasets import (
    SPECIMEN,
    Conditions,
    Dataset,
    Despite,
    Match,
    match,
)
from crystalvision.errors import InputError
from crystalvision.evaluation._binning import error_by_chance
from crystalvision.evaluation._intervals import RESAMPLES, Intervals, bootstrap_intervals
from crystalvision.evaluation._metrics import classification_metrics, severity_metrics
from crystalvision.evaluation._record import Metrics, Split
from crystalvision.evaluation._unseen import check_unseen
from crystalvision.prediction import Predictions, Predictor, join
from crystalvision.runs import Run

_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run judged on a dataset.

    Attributes:
        metrics: The numbers.
        indices: Which samples of the dataset, (n,).
        label: Their classes, (n,).
        severity: Their severities, (n,).
        predictions: What the run says of them.
    """

    metrics: Metrics
    indices: np.ndarray
    label: np.ndarray
    severity: np.ndarray
    predictions: Predictions


def evaluate(
    run: Run,
    dataset: Dataset,
    *,
    split: Split | None = None,
    device: torch.device | None = None,
    batch_size: int = 32,
    calibrated: bool = True,
    resamples: int = RESAMPLES,
    seed: int = 0,
    despite: Collection[Despite] = (),
    on_batch: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Judge a run.

    Data are matched to it by what they state: classes by their names, in whatever order; other
    axes are carried onto those of the run.

    Args:
        run: The run.
        dataset: The dataset.
        split: Part of the dataset; by default `test` of the dataset that the run was trained on,
            `all` of any other.
        device: Where to predict; by default the CPU.
        batch_size: Patterns that pass through the system at once.
        calibrated: Whether to use the calibration that training left in the run.
        resamples: How many resamples give the confidence intervals.
        seed: Draws them.
        despite: Differences between the data and what the run was trained on that are known and
            wanted.
        on_batch: Told how many more patterns are done.

    Raises:
        InputError: Classes, images, axes or a beam that are not those of the run, an empty split,
            or a test split with patterns that the run was trained on.
    """
    split, indices = choose_samples(run, dataset, split, despite=despite)
    conditions = _matched(run, dataset, despite)
    predictor = Predictor(run, device, calibrated=calibrated)
    read = _reader(dataset, conditions)
    predictions, seconds = _predict(predictor, read, indices, batch_size, on_batch)
    probabilities, told_severity = _label_and_severity(predictions)
    label = _label_places(run, dataset)[np.asarray(dataset.column("label"))[indices]]
    severity = np.asarray(dataset.column("severity"), dtype=np.float32)[indices]
    classification = classification_metrics(
        torch.from_numpy(probabilities),
        torch.from_numpy(label),
        run.record.class_names,
    )
    rejected = predictions.rejected
    metrics = Metrics(
        dataset=str(dataset.path),
        dataset_identity=dataset.identity,
        trained_on_this=dataset.identity == run.record.dataset.identity,
        split=split,
        samples=len(indices),
        class_names=run.record.class_names,
        **classification.model_dump(),
        severity=severity_metrics(torch.from_numpy(told_severity), torch.from_numpy(severity)),
        severity_source="regression"
        if predictions.sources["severity"] == "head"
        else "class_expectation",
        intervals=_intervals(dataset, indices, predictions, label, severity, resamples, seed),
        temperature=predictor.temperatures.get("label"),
        rejected=None if rejected is None else float(rejected.mean()),
        images_per_second=round(len(indices) / seconds, 1),
        device=(device or torch.device("cpu")).type,
        calibration_error_by_chance=error_by_chance(probabilities.max(axis=1).astype(np.float64)),
        conditions=conditions,
    )
    return Evaluation(metrics, dataset.numbers(indices), label, severity, predictions)


def _predict(
    predictor: Predictor,
    read: Callable[[np.ndarray], np.ndarray],
    indices: np.ndarray,
    batch_size: int,
    on_batch: Callable[[int], None],
) -> tuple[Predictions, float]:
    """Predictions, and what they took without reading [s]."""
    parts: list[Predictions] = []
    seconds = 0.0
    for start in range(0, len(indices), _CHUNK):
        raw = read(indices[start : start + _CHUNK])
        began = time.perf_counter()
        parts.append(predictor.predict(raw, batch_size=batch_size))
        seconds += time.perf_counter() - began
        on_batch(len(raw))
    return join(parts), seconds


def _label_and_severity(predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the classes, (n, k), and severities, (n,).

    Raises:
        InputError: The run tells no class, or no severity.
    """
    probabilities = predictions["label"].probabilities
    if probabilities is None:
        raise InputError("the run tells no probabilities of its classes")
    return probabilities, predictions["severity"].value


def _intervals(
    dataset: Dataset,
    indices: np.ndarray,
    predictions: Predictions,
    label: np.ndarray,
    severity: np.ndarray,
    resamples: int,
    seed: int,
) -> Intervals:
    specimen = None
    if SPECIMEN in dataset.header.columns:
        specimen = np.asarray(dataset.column(SPECIMEN))[indices]
    return bootstrap_intervals(
        *_label_and_severity(predictions)[:1],
        label,
        severity,
        *_label_and_severity(predictions)[1:],
        predictions["label"].target.classes,
        specimen=specimen,
        rejected=predictions.rejected,
        resamples=resamples,
        seed=seed,
    )


def _reader(dataset: Dataset, conditions: Match) -> Callable[[np.ndarray], np.ndarray]:
    """Reads images by index, on the axes of the run."""
    return lambda indices: conditions.carry(np.asarray(dataset.images(indices)))


def choose_samples(
    run: Run, dataset: Dataset, split: Split | None, *, despite: Collection[Despite] = ()
) -> tuple[Split, np.ndarray]:
    """The split to judge, and its indices, after checking that run and dataset fit.

    Raises:
        InputError: As for `evaluate`.
    """
    _label_places(run, dataset)
    _matched(run, dataset, despite)
    record = run.record
    same = dataset.identity == record.dataset.identity
    if not same:
        check_unseen(run, dataset)
    split = split or ("test" if same else "all")
    indices = np.asarray(dataset.split(split))
    if not len(indices):
        raise InputError(f"{dataset.path}: its {split} split is empty; choose another --split")
    if same and split == "test":
        trained = {index for index, name in run.split().items() if name != "test"}
        if seen := trained & set(dataset.numbers(indices).tolist()):
            raise InputError(
                f"{dataset.path}: its splits have changed since {run.path} was trained; "
                f"{len(seen)} patterns of the test split were used for training"
            )
    return split, indices


def _label_places(run: Run, dataset: Dataset) -> np.ndarray:
    """The run's label of each class of a dataset, by name.

    Raises:
        InputError: The dataset has a class that the run does not know.
    """
    known, names = run.record.class_names, dataset.header.class_names
    if not set(names) <= set(known):
        raise InputError(
            f"{dataset.path} has the classes {', '.join(names)}, but {run.path} was trained on "
            f"{', '.join(known)}; it can be judged on these alone"
        )
    return np.array([known.index(name) for name in names], dtype=np.int64)


def _matched(run: Run, dataset: Dataset, despite: Collection[Despite]) -> Match:
    """How a dataset fits what a run was trained on.

    Raises:
        InputError: It does not.
    """
    record, channels = run.record, dataset.header.image_shape[0]
    if channels != record.image_shape[0]:
        raise InputError(
            f"{dataset.path} has images of shape {dataset.header.image_shape}, but {run.path} was "
            f"trained on {record.image_shape}"
        )
    return match(
        record.conditions,
        Conditions.of_dataset(dataset),
        run_name=str(run.path),
        data_name=str(dataset.path),
        despite=despite,
    )
