"""A trained system in its folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Self, TextIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from crystalvision.classical import (
    ClassicalSystem,
    build_classical,
    load_classical,
    save_classical,
)
from crystalvision.config import load_yaml, validate
from crystalvision.contracts import Axis, grid_of
from crystalvision.errors import InputError
from crystalvision.inputs import Preprocess, build_preprocess
from crystalvision.models import System, build_system
from crystalvision.ordinary_files import check_ordinary
from crystalvision.plugins import Catalogue
from crystalvision.runs._curves import FIGURES, draw_curves
from crystalvision.runs._folder import RECORD
from crystalvision.runs._readme import README, describe
from crystalvision.runs._record import FORMAT, RunRecord
from crystalvision.storage import disk_errors, read_text, write_tensors
from crystalvision.text import csv_reader, csv_writer
from crystalvision.training import ClassicalExperiment, EpochRecord
from crystalvision.yaml_text import dump_yaml

WEIGHTS = "weights.safetensors"
METRICS = "metrics.csv"
SPLIT = "split.csv"
_SCORE = "validation_"


@dataclass(frozen=True, slots=True)
class Run:
    """A trained system.

    Attributes:
        path: Its folder.
        record: What `run.yaml` says.
        system: The system with its weights, on the CPU, in evaluation mode.
        preprocess: What prepares raw patterns for the system.
    """

    path: Path
    record: RunRecord
    system: System
    preprocess: Preprocess

    @classmethod
    def load(cls, path: Path | str, catalogue: Catalogue | None = None) -> Self:
        """Load a run; nothing in it is unpickled.

        Args:
            path: Its folder.
            catalogue: Where its parts are looked up; by default what is installed.

        Raises:
            InputError: It is no run, its weights are missing or of another system, or a plugin
                that it was trained with is not there.
        """
        path = Path(path)
        record = load_record(path)
        catalogue = catalogue or Catalogue.load()
        _check_plugins(path, record, catalogue)
        preprocess = preprocess_of(record, catalogue)
        if isinstance(record.experiment, ClassicalExperiment):
            classical = _build_classical(record, record.experiment, preprocess, catalogue)
            load_classical(path, classical)
            return cls(path, record, classical.eval(), preprocess)
        # Weights come from the file: what initialisation draws must not change the caller's state.
        with torch.random.fork_rng(devices=()):
            system = build_system(
                record.experiment.system,
                catalogue,
                in_channels=preprocess.channels(record.image_shape[0]),
                targets=record.targets,
                grid=grid_of(preprocess.axes),
                axes=preprocess.axes,
                first_weights=False,
            )
        _load_weights(path, system)
        return cls(path, record, system.eval(), preprocess)

    def epochs(self) -> list[EpochRecord]:
        """The rows of `metrics.csv`.

        Raises:
            InputError: The file is missing or damaged.
        """
        return load_epochs(self.path)

    def split(self) -> dict[int, str]:
        """The split of each sample of the training dataset: index → "train" and so on.

        Raises:
            InputError: The file is missing or damaged.
        """
        path = self.path / SPLIT
        try:
            return {int(row["index"]): row["split"] for row in _rows(path)}
        except (KeyError, ValueError) as error:
            raise InputError(f"{path}: expected the columns index and split") from error


def load_record(path: Path) -> RunRecord:
    """What the `run.yaml` of a run says.

    Raises:
        InputError: It is no run.
    """
    if not (path / RECORD).is_file():
        what = "has no run.yaml" if path.is_dir() else "is not there"
        raise InputError(f"{path} is no run: it {what}; a run is what crystalvision train writes")
    for entry in path.rglob("*"):
        check_ordinary(entry)
    data = load_yaml(path / RECORD)
    if data.get("format") != FORMAT:
        raise InputError(
            f"{path} is a run of format {data.get('format')}, of another version of crystalvision; "
            f"this one reads format {FORMAT}: train it again"
        )
    return validate(RunRecord, data, str(path / RECORD))


def preprocess_of(record: RunRecord, catalogue: Catalogue) -> Preprocess:
    """What prepares the raw patterns of a run.

    Raises:
        InputError: A step that is not there, or patterns that it cannot take.
    """
    axes = [Axis.model_validate(axis) for axis in record.calibration]
    return build_preprocess(record.experiment.input, catalogue, axes)


def load_epochs(path: Path) -> list[EpochRecord]:
    """The rows of the `metrics.csv` of a run.

    Raises:
        InputError: The file is missing or damaged.
    """
    file = path / METRICS
    return [validate(EpochRecord, _epoch(row), str(file)) for row in _rows(file)]


def _epoch(row: Mapping[str, str]) -> dict[str, object]:
    """An epoch, of a row whose columns `validation_TARGET_SCORE` are its scores."""
    scores = {key: value for key, value in row.items() if key not in EpochRecord.model_fields}
    rest: dict[str, object] = {
        key: value or None for key, value in row.items() if key not in scores
    }
    return rest | {
        "scores": {key.removeprefix(_SCORE): value for key, value in scores.items() if value}
    }


def _write_epochs(file: TextIO, epochs: Sequence[EpochRecord]) -> None:
    scores = list(dict.fromkeys(name for epoch in epochs for name in epoch.scores))
    fields = [name for name in EpochRecord.model_fields if name not in {"scores", "seconds"}]
    writer = csv_writer(file)
    writer.writerow([*fields, *(f"{_SCORE}{name}" for name in scores), "seconds"])
    for epoch in epochs:
        values = [getattr(epoch, name) for name in fields]
        writer.writerow([*values, *(epoch.scores.get(name) for name in scores), epoch.seconds])


def write_run(
    folder: Path,
    record: RunRecord,
    system: System,
    epochs: list[EpochRecord],
    split: Mapping[int, str],
) -> None:
    """Write the files of a run into an empty folder, `run.yaml` last.

    Raises:
        StorageError: The disk refuses.
    """
    with disk_errors(folder):
        if isinstance(system, ClassicalSystem):
            save_classical(folder, system)
        else:
            weights = {key: value.contiguous() for key, value in system.state_dict().items()}
            write_tensors(folder / WEIGHTS, weights)
        with (folder / METRICS).open("w", newline="", encoding="utf-8") as file:
            _write_epochs(file, epochs)
        with (folder / SPLIT).open("w", newline="", encoding="utf-8") as file:
            rows = csv_writer(file)
            rows.writerow(["index", "split"])
            rows.writerows(sorted(split.items()))
        draw_curves(folder / FIGURES, record.phases, epochs)
        (folder / README).write_text(describe(record), encoding="utf-8")
        text = dump_yaml(record.model_dump(mode="json"))
        (folder / RECORD).write_text(text, encoding="utf-8")


def _build_classical(
    record: RunRecord,
    experiment: ClassicalExperiment,
    preprocess: Preprocess,
    catalogue: Catalogue,
) -> ClassicalSystem:
    return build_classical(
        experiment.system,
        catalogue,
        preprocess=preprocess,
        channels=record.image_shape[0],
        targets=record.targets,
        seed=experiment.seed,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        return csv_reader(StringIO(read_text(path), newline="")).mappings()
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: the run is incomplete; train it again") from error


def _check_plugins(path: Path, record: RunRecord, catalogue: Catalogue) -> None:
    for plugin in record.plugins:
        if not catalogue.has(plugin.kind, plugin.name):
            origin = f"{plugin.distribution} {plugin.version}".strip()
            choices = ", ".join(catalogue.names(plugin.kind))
            raise InputError(
                f"{path} was trained with the {plugin.kind} '{plugin.name}' of {origin}, which is "
                f"not there; {plugin.how_to_get}; there are: {choices}"
            )


def _load_weights(path: Path, system: System) -> None:
    file = path / WEIGHTS
    if not file.is_file():
        raise InputError(f"{path} has no {WEIGHTS}: the run holds no model; train it again")
    try:
        weights = load_file(file)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    state = system.state_dict()
    expected = {key: tuple(value.shape) for key, value in state.items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key) != found.get(key):
            raise InputError(
                f"{file} holds the weights of another system than {path / RECORD} describes: "
                f"'{key}' has shape {found.get(key, 'none')}, expected {expected.get(key, 'none')}"
            )
        _check_values(file, key, weights[key], state[key])
    system.load_state_dict(weights)


def _check_values(file: Path, key: str, found: torch.Tensor, expected: torch.Tensor) -> None:
    if found.dtype != expected.dtype:
        names = [str(each.dtype).removeprefix("torch.") for each in (found, expected)]
        raise InputError(f"{file}: '{key}' is of type {names[0]}, expected {names[1]}")
    if not torch.isfinite(found).all():
        raise InputError(f"{file}: '{key}' is not finite: the weights are damaged; train again")
