"""Keeps a calibration in the folder of its run; nothing in it is unpickled."""

from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from crystalvision.calibration._fit import CalibrationRecord, PredictionCalibration
from crystalvision.calibration._novelty import Novelty, View
from crystalvision.errors import InputError
from crystalvision.json_text import validate_json
from crystalvision.ordinary_files import check_ordinary
from crystalvision.small_files import read_small
from crystalvision.storage import write_tensors, write_text

CALIBRATION = "calibration.json"
REFERENCE = "reference.safetensors"
_TENSORS = ("reference", "shift", "scale")


def save_calibration(trust: PredictionCalibration, folder: Path) -> None:
    """Write `reference.safetensors` and then `calibration.json` into a run's folder.

    Raises:
        StorageError: The disk refuses.
    """
    tensors = {
        f"{name}.{part}": getattr(view, part).contiguous()
        for name, view in trust.novelty.views.items()
        for part in _TENSORS
    }
    text = trust.record.model_dump_json(indent=2) + "\n"
    write_tensors(folder / REFERENCE, tensors)
    write_text(folder / CALIBRATION, text)


def load_calibration(folder: Path) -> PredictionCalibration | None:
    """Read the calibration of a run.

    Returns:
        `None` where the run has none, as those of earlier versions.

    Raises:
        InputError: It is damaged, or one of its two files is missing.
    """
    file, tensors = folder / CALIBRATION, folder / REFERENCE
    if not file.exists() and not tensors.exists():
        return None
    again = "train the run again, or predict with --uncalibrated"
    try:
        record = validate_json(CalibrationRecord, read_small(file))
        check_ordinary(tensors)
        found = load_file(tensors)
        views = {
            name: View(**{part: found[f"{name}.{part}"] for part in _TENSORS}, limit=limit)
            for name, limit in record.limits.items()
        }
    except ValidationError as error:
        raise InputError(f"{file} is not what training writes; {again}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: its calibration cannot be read: {error}; {again}") from error
    except SafetensorError as error:
        raise InputError(f"{tensors} cannot be read: {error}; {again}") from error
    except KeyError as error:
        raise InputError(f"{tensors} lacks the tensor {error}; {again}") from error
    _check_shapes(views, tensors, again)
    return PredictionCalibration(record, Novelty(views))


def _check_shapes(views: dict[str, View], path: Path, again: str) -> None:
    for name, view in views.items():
        features = tuple(view.shift.shape)
        sound = view.reference.ndim == 2 and view.reference.shape[1:] == features
        if not sound or view.scale.shape != features or not len(view.reference):
            raise InputError(f"{path}: the tensors of '{name}' do not fit each other; {again}")
