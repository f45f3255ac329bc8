"""Evaluations in the folder of their run."""

from pathlib import Path

import numpy as np

from crystalvision.errors import InputError
from crystalvision.evaluation._evaluate import Evaluation
from crystalvision.evaluation._record import Metrics
from crystalvision.json_text import validate_json
from crystalvision.small_files import read_small
from crystalvision.storage import disk_errors, whole_folder
from crystalvision.text import csv_writer, json_text

FOLDER = "evaluations"


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
    name = check_name(name or _name(evaluation, run))
    path = run / FOLDER / name
    with whole_folder(path, overwrite=True, keep=True) as folder, disk_errors(path):
        _write_predictions(evaluation, folder / "predictions.csv")
        text = json_text(evaluation.metrics.model_dump(mode="json"), indent=2)
        (folder / "metrics.json").write_text(text + "\n", encoding="utf-8")
    return path


def load_metrics(path: Path) -> Metrics:
    """Read the `metrics.json` of an evaluation's folder.

    Raises:
        InputError: It is missing, or not what `save` writes.
    """
    file = path / "metrics.json"
    try:
        return validate_json(Metrics, read_small(file))
    except FileNotFoundError as error:
        raise InputError(f"{path} is no evaluation: it has no metrics.json") from error
    except ValueError as error:
        raise InputError(
            f"{file} is not what crystalvision evaluate writes now; evaluate the run again"
        ) from error


def check_name(name: str) -> str:
    """The name of an evaluation, if it can be one.

    Raises:
        InputError: It is no plain name of a folder.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise InputError(f"--name {name!r}: expected the plain name of a folder, such as 'seed-2'")
    return name


def _name(evaluation: Evaluation, run: Path) -> str:
    metrics = evaluation.metrics
    stem = Path(metrics.dataset).resolve().stem.lstrip(".")
    name = f"{stem}-{metrics.split}"
    try:
        same = load_metrics(run / FOLDER / name).dataset_identity == metrics.dataset_identity
    except InputError:
        same = True
    return name if same else f"{name}-{metrics.dataset_identity[:8]}"


def _write_predictions(evaluation: Evaluation, path: Path) -> None:
    label, severity = evaluation.predictions["label"], evaluation.predictions["severity"].value
    given = label.probabilities if label.probabilities is not None else np.empty((len(severity), 0))
    columns = [f"probability_{name}" for name in label.target.classes]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv_writer(file)
        rows.writerow(["index", "label", "predicted", *columns, "severity", "predicted_severity"])
        for row, index in enumerate(evaluation.indices):
            probabilities = [f"{value:.6g}" for value in given[row]]
            severities = [f"{evaluation.severity[row]:.6g}", f"{severity[row]:.6g}"]
            rows.writerow(
                [index, evaluation.label[row], label.value[row], *probabilities, *severities]
            )
