"""Judges a run on a dataset."""

import csv
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from crystalvision.datasets import Dataset, origins, same_specimens
from crystalvision.errors import InputError
from crystalvision.evaluation._metrics import (
    ClassificationMetrics,
    SeverityMetrics,
    classification_metrics,
    severity_metrics,
)
from crystalvision.prediction import Predictions, Predictor, SeveritySource
from crystalvision.runs import Run, storage_errors, whole_folder

Split = Literal["train", "validation", "test", "all"]
FOLDER = "evaluations"
_CHUNK = 64


class Metrics(ClassificationMetrics):
    """What `metrics.json` holds: how well classes are told, and what follows.

    Attributes:
        dataset: Path of the dataset.
        dataset_identity: Its identity.
        trained_on_this: Whether the run was trained on this very dataset.
        split: The part of it that was judged.
        samples: How many patterns.
        class_names: Names of the classes.
        severity: How well severity is told.
        severity_source: `regression` or `class_expectation`: see `Predictions`.
        images_per_second: Speed of preparing and predicting, without reading.
        device: Where it was predicted: `cpu` or `cuda`.
    """

    dataset: str
    dataset_identity: str
    trained_on_this: bool
    split: Split
    samples: int
    class_names: tuple[str, ...]
    severity: SeverityMetrics
    severity_source: SeveritySource
    images_per_second: float
    device: str


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
    on_batch: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Judge a run.

    Args:
        run: The run.
        dataset: The dataset.
        split: Part of the dataset; by default `test` of the dataset that the run was trained on,
            `all` of any other.
        device: Where to predict; by default the CPU.
        batch_size: Patterns that pass through the system at once.
        on_batch: Told how many more patterns are done.

    Raises:
        InputError: Classes or images that are not those of the run, an empty split, or a test
            split with patterns that the run was trained on.
    """
    split, indices = choose_samples(run, dataset, split)
    predictor = Predictor(run, device)
    parts: list[Predictions] = []
    seconds = 0.0
    for start in range(0, len(indices), _CHUNK):
        raw = np.asarray(dataset.images(indices[start : start + _CHUNK]))
        began = time.perf_counter()
        parts.append(predictor.predict(raw, batch_size=batch_size))
        seconds += time.perf_counter() - began
        on_batch(len(raw))
    predictions = _concatenate(parts)
    label = np.asarray(dataset.column("label"), dtype=np.int64)[indices]
    severity = np.asarray(dataset.column("severity"), dtype=np.float32)[indices]
    classification = classification_metrics(
        torch.from_numpy(predictions.probabilities),
        torch.from_numpy(label),
        run.record.class_names,
    )
    metrics = Metrics(
        dataset=str(dataset.path),
        dataset_identity=dataset.identity,
        trained_on_this=dataset.identity == run.record.dataset.identity,
        split=split,
        samples=len(indices),
        class_names=run.record.class_names,
        **classification.model_dump(),
        severity=severity_metrics(
            torch.from_numpy(predictions.severity), torch.from_numpy(severity)
        ),
        severity_source=predictions.severity_source,
        images_per_second=round(len(indices) / seconds, 1),
        device=(device or torch.device("cpu")).type,
    )
    return Evaluation(metrics, indices, label, severity, predictions)


def choose_samples(run: Run, dataset: Dataset, split: Split | None) -> tuple[Split, np.ndarray]:
    """The split to judge, and its indices, after checking that run and dataset fit.

    Raises:
        InputError: As for `evaluate`.
    """
    record, header = run.record, dataset.header
    if header.class_names != record.class_names:
        raise InputError(
            f"{dataset.path} has the classes {', '.join(header.class_names)}, but {run.path} was "
            f"trained on {', '.join(record.class_names)}; they must be the same, in this order"
        )
    if tuple(header.image_shape) != record.image_shape:
        raise InputError(
            f"{dataset.path} has images of shape {tuple(header.image_shape)}, but {run.path} was "
            f"trained on {record.image_shape}"
        )
    same = dataset.identity == record.dataset.identity
    if not same:
        _check_unseen(run, dataset)
    split = split or ("test" if same else "all")
    indices = np.asarray(dataset.split(split))
    if not len(indices):
        raise InputError(f"{dataset.path}: its {split} split is empty; choose another --split")
    if same and split == "test":
        trained = {index for index, name in run.split().items() if name != "test"}
        if seen := trained & set(indices.tolist()):
            raise InputError(
                f"{dataset.path}: its splits have changed since {run.path} was trained; "
                f"{len(seen)} patterns of the test split were used for training"
            )
    return split, indices


def _check_unseen(run: Run, dataset: Dataset) -> None:
    """Refuse data that share samples or specimens with what a run was trained on.

    Raises:
        InputError: They do, or may.
    """
    record = run.record.dataset
    trained = origins(record.identity, record.recipe)
    for identity, recipe in origins(dataset.identity, dataset.header.recipe).items():
        if identity in trained:
            raise InputError(
                f"{dataset.path} and the data that {run.path} was trained on have samples in "
                f"common, those of '{recipe.get('name')}': one of the two was made of the other, "
                "by a merge or by export and import, or both of the same; judge it on other data"
            )
        if any(same_specimens(recipe, other) for other in trained.values()):
            raise InputError(
                f"{dataset.path} was simulated with the seed that the training data had "
                f"({recipe['seed']}), so it may hold the specimens that {run.path} was trained "
                "on; simulate it with another --seed"
            )


def save(evaluation: Evaluation, run: Path, name: str | None = None) -> Path:
    """Write `evaluations/NAME/{metrics.json, predictions.csv}` into a run.

    Args:
        evaluation: The evaluation.
        run: The run's folder.
        name: Name of the evaluation; by default the dataset's name and the split. An evaluation of
            the same name is replaced.

    Returns:
        The folder.

    Raises:
        InputError: A name that is no plain name of a folder.
        StorageError: The disk refuses.
    """
    name = name or _name(evaluation, run)
    if not name or name != Path(name).name or name.startswith("."):
        raise InputError(f"--name {name!r}: expected the plain name of a folder, such as 'seed-2'")
    path = run / FOLDER / name
    with whole_folder(path) as folder, storage_errors(path):
        _write_predictions(evaluation, folder / "predictions.csv")
        text = json.dumps(evaluation.metrics.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (folder / "metrics.json").write_text(text + "\n", encoding="utf-8")
    return path


def load_metrics(path: Path) -> Metrics:
    """Read the `metrics.json` of an evaluation's folder.

    Raises:
        InputError: It is missing, or not what `save` writes.
    """
    file = path / "metrics.json"
    try:
        return Metrics.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path} is no evaluation: it has no metrics.json") from error
    except ValueError as error:
        raise InputError(f"{file} is not what crystalvision evaluate writes") from error


def _name(evaluation: Evaluation, run: Path) -> str:
    metrics = evaluation.metrics
    name = f"{Path(metrics.dataset).stem}-{metrics.split}"
    try:
        same = load_metrics(run / FOLDER / name).dataset_identity == metrics.dataset_identity
    except InputError:
        same = True
    return name if same else f"{name}-{metrics.dataset_identity[:8]}"


def _concatenate(parts: Sequence[Predictions]) -> Predictions:
    return Predictions(
        parts[0].class_names,
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.severity for part in parts]),
        parts[0].severity_source,
    )


def _write_predictions(evaluation: Evaluation, path: Path) -> None:
    told = evaluation.predictions
    columns = [f"probability_{name}" for name in told.class_names]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["index", "label", "predicted", *columns, "severity", "predicted_severity"])
        for row, index in enumerate(evaluation.indices):
            probabilities = [f"{value:.6g}" for value in told.probabilities[row]]
            severities = [f"{evaluation.severity[row]:.6g}", f"{told.severity[row]:.6g}"]
            rows.writerow(
                [index, evaluation.label[row], told.label[row], *probabilities, *severities]
            )
