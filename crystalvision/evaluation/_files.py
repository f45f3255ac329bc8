"""Evaluations in the folder of their run."""

from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.evaluation._evaluate import Evaluation
from crystalvision.evaluation._predictions import write_predictions
from crystalvision.evaluation._record import Metrics
from crystalvision.json_text import validate_json
from crystalvision.small_files import read_small
from crystalvision.storage import disk_errors, whole_folder
from crystalvision.text import json_text

FOLDER = "evaluations"


def save(evaluation: Evaluation, run: Path, name: str | None = None) -> Path:
    """Write `evaluations/NAME/{metrics.json, predictions.csv}` into a run.

    Maps go to `predictions.npz` beside them.

    Args:
        evaluation: The evaluation.
        run: The run's folder.
        name: Name of the evaluation; by default the dataset's name and the split, and what tells a
            subset from others. An evaluation of the same name is replaced.

    Returns:
        The folder.

    Raises:
        InputError: A name that is no plain name of a folder.
        StorageError: The disk refuses.
    """
    name = check_name(name or _name(evaluation, run))
    path = run / FOLDER / name
    with whole_folder(path, overwrite=True, keep=True) as folder, disk_errors(path):
        write_predictions(evaluation.indices, evaluation.judged, evaluation.columns, folder)
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
    if metrics.subset is not None:
        name += f"-{metrics.subset.sha256[:8]}"
    try:
        same = load_metrics(run / FOLDER / name).dataset_identity == metrics.dataset_identity
    except InputError:
        same = True
    return name if same else f"{name}-{metrics.dataset_identity[:8]}"
