"""Judges a run on a dataset."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int

from crystalvision.contracts import EvaluatedEstimates, Target, Task
from crystalvision.datasets import SPECIMEN, Dataset, Despite, Match
from crystalvision.evaluation._by_specimen import specimen_scores
from crystalvision.evaluation._fits import choose_samples, judged_targets, matched
from crystalvision.evaluation._flags import flagged
from crystalvision.evaluation._intervals import RESAMPLES, share_interval
from crystalvision.evaluation._judge import columns_of, judge_target, tasks_of
from crystalvision.evaluation._record import Metrics, Split
from crystalvision.plugins import Catalogue
from crystalvision.prediction import UNSEEN, Predictions, Predictor, carried, join
from crystalvision.runs import Run, SubsetRecord

_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run judged on a dataset.

    Attributes:
        metrics: The numbers.
        indices: Which samples of the dataset, (n,).
        judged: Estimates of each target beside the truth, by name.
        columns: What tasks say of each sample beside that, by column, n values each.
        predictions: What the run says of them.
    """

    metrics: Metrics
    indices: Int[np.ndarray, "n"]
    judged: Mapping[str, EvaluatedEstimates]
    columns: Mapping[str, list[Any]]
    predictions: Predictions


def evaluate(
    run: Run,
    dataset: Dataset,
    *,
    catalogue: Catalogue | None = None,
    split: Split | None = None,
    device: torch.device | None = None,
    batch_size: int = 32,
    calibrated: bool = True,
    resamples: int = RESAMPLES,
    seed: int = 0,
    despite: Collection[Despite] = (),
    on_batch: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Judge a run on every target that it tells and the data have.

    Data are matched to it by what they state: targets and classes by their names, in whatever
    order; other axes are carried onto those of the run.

    Args:
        run: The run.
        dataset: The dataset.
        catalogue: Where the tasks of the targets are looked up; by default the installed plugins.
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
        InputError: Targets, classes, images, axes or a beam that are not those of the run, an empty
            split, or a test split with patterns that the run was trained on.
        PluginError: A task breaks its contract.
    """
    split, indices = choose_samples(run, dataset, split, despite=despite)
    tasks = tasks_of(judged_targets(run, dataset), catalogue or Catalogue.load())
    conditions = matched(run, dataset, despite)
    predictor = Predictor(run, device, calibrated=calibrated)
    read = _reader(dataset, conditions)
    gaps = None if dataset.header.seen is None else UNSEEN
    predictions, seconds = _predict(
        predictor, read, indices, on_batch, batch_size=batch_size, gap_values=gaps
    )
    specimen = _specimens(dataset, indices)
    judged = _judged(run, dataset, indices, specimen, predictions, predictor.temperatures)
    rejected = predictions.rejected
    metrics = Metrics(
        dataset=str(dataset.path),
        dataset_identity=dataset.identity,
        trained_on_this=dataset.identity == run.record.dataset.identity,
        split=split,
        samples=len(indices),
        subset=SubsetRecord.of(dataset),
        targets={
            name: judge_target(
                tasks[name],
                each,
                source=predictions.sources[name],
                resamples=resamples,
                seed=seed,
            )
            for name, each in judged.items()
        },
        rejected=None if rejected is None else float(rejected.mean()),
        rejected_interval=None if rejected is None else share_interval(rejected, specimen),
        flagged=flagged(predictions, judged, specimen),
        images_per_second=round(len(indices) / seconds, 1),
        device=(device or torch.device("cpu")).type,
        conditions=conditions,
        specimens=specimen_scores(judged, dataset, indices),
    )
    columns = _columns(tasks, judged)
    return Evaluation(metrics, dataset.numbers(indices), judged, columns, predictions)


def _predict(
    predictor: Predictor,
    read: Callable[[np.ndarray], np.ndarray],
    indices: np.ndarray,
    on_batch: Callable[[int], None],
    **options: Any,
) -> tuple[Predictions, float]:
    """Predictions, and what they took without reading [s]."""
    parts: list[Predictions] = []
    seconds = 0.0
    for start in range(0, len(indices), _CHUNK):
        raw = read(indices[start : start + _CHUNK])
        began = time.perf_counter()
        parts.append(predictor.predict(raw, **options))
        seconds += time.perf_counter() - began
        on_batch(len(raw))
    return join(parts), seconds


def _reader(dataset: Dataset, conditions: Match) -> Callable[[np.ndarray], np.ndarray]:
    """Reads images by index, on the axes of the run."""
    return lambda indices: carried(
        conditions, np.asarray(dataset.images(indices)), dataset.seen(indices)
    )


def _truth(dataset: Dataset, target: Target, indices: Int[np.ndarray, "n"]) -> np.ndarray[Any, Any]:
    """What is true of samples, (n, *shape); classes in the order of the run."""
    stored = np.asarray(dataset.column(target.name))[indices]
    if not target.classes:
        return np.asarray(stored, dtype=np.float32)
    names = dataset.header.targets[target.name].classes
    places = np.array([target.classes.index(name) for name in names], dtype=np.int64)
    known = stored >= 0  # a point of a map that is none of the classes stays below 0
    return np.asarray(np.where(known, places[np.where(known, stored, 0)], -1))


def _specimens(dataset: Dataset, indices: Int[np.ndarray, "n"]) -> Int[np.ndarray, "n"]:
    """Which specimen each sample shows; where that is not stated, each its own."""
    if SPECIMEN not in dataset.header.columns:
        return indices
    specimen: Int[np.ndarray, "n"] = np.asarray(dataset.column(SPECIMEN))[indices]
    return specimen


def _judged(
    run: Run,
    dataset: Dataset,
    indices: Int[np.ndarray, "n"],
    specimen: Int[np.ndarray, "n"],
    predictions: Predictions,
    temperatures: Mapping[str, float],
) -> dict[str, EvaluatedEstimates]:
    """Estimates beside the truth, of each target that can be judged."""
    found = {}
    for name, target in judged_targets(run, dataset).items():
        said = predictions[name]
        found[name] = EvaluatedEstimates(
            target=target,
            truth=_truth(dataset, target, indices),
            value=said.value,
            probabilities=said.probabilities,
            specimen=specimen,
            temperature=temperatures.get(name),
        )
    return with_groups(found)


def with_groups(judged: Mapping[str, EvaluatedEstimates]) -> dict[str, EvaluatedEstimates]:
    """The same, samples grouped by the first target that is one class a sample, if there is one."""
    for each in judged.values():
        if each.target.classes and not each.target.shape:
            names, group = each.target.classes, each.truth
            return {
                name: replace(other, group=group, group_names=names)
                for name, other in judged.items()
            }
    return dict(judged)


def _columns(
    tasks: Mapping[str, Task], judged: Mapping[str, EvaluatedEstimates]
) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, each in judged.items():
        found |= columns_of(tasks[name], each)
    return found
