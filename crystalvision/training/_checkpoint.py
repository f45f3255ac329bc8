"""What a training says of itself, and all that it needs to go on: as JSON and safetensors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import google_crc32c
import torch
from pydantic import Field, NonNegativeInt
from safetensors import SafetensorError, safe_open
from torch import nn

from crystalvision.config import Config, validate
from crystalvision.errors import InputError
from crystalvision.json_text import parse_json
from crystalvision.ordinary_files import check_ordinary
from crystalvision.storage import write_tensors


class DivergenceError(InputError):
    """A loss is not finite any more: to go on from there is in vain."""


class EpochRecord(Config):
    """One epoch: a row of `metrics.csv`, where a score is a column `validation_TARGET_SCORE`.

    Attributes:
        phase: Name of the phase.
        epoch: Counts from 1 within the phase.
        epochs: Epochs of the phase.
        learning_rate: At the start of the epoch.
        train_loss: Mean over the epoch, while the weights changed.
        validation_loss: After the epoch.
        scores: Those of the targets that the trained heads learn, after the epoch, by
            `TARGET_SCORE`: `label_accuracy`, `severity_mae`.
        seconds: Wall time of the epoch [s].
    """

    phase: str
    epoch: int
    epochs: int
    learning_rate: float
    train_loss: float
    validation_loss: float
    scores: dict[str, float] = Field(default_factory=dict)
    seconds: float

    def value(self, name: str) -> float:
        """A loss, the learning rate, or `validation_TARGET_SCORE`."""
        score = name.removeprefix("validation_")
        return float(self.scores[score] if score in self.scores else getattr(self, name))


class PhaseRecord(Config):
    """One phase after it has run.

    Attributes:
        name: Its name.
        train: The parts that it trained.
        epochs: How many epochs it ran.
        monitor: What chose the epoch whose weights are kept.
        best_epoch: That epoch, counted from 1.
        best_value: The monitor's value there.
        seconds: Wall time of the phase [s].
    """

    name: str
    train: tuple[str, ...]
    epochs: int
    monitor: str
    best_epoch: int
    best_value: float
    seconds: float


class Listener(Protocol):
    """Told how a training proceeds; every method may do nothing."""

    def note(self, text: str) -> None:
        """Something that the user should know, in one line."""

    def phase_started(self, name: str, train: tuple[str, ...], epochs: int) -> None:
        """A phase begins, or goes on; `epochs` are those still to run."""

    def epoch_ended(self, record: EpochRecord) -> None:
        """An epoch has ended."""

    def phase_ended(self, record: PhaseRecord) -> None:
        """A phase has ended."""


class Silent:
    """A listener that does nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def phase_started(self, name: str, train: tuple[str, ...], epochs: int) -> None:
        """Do nothing."""

    def epoch_ended(self, record: EpochRecord) -> None:
        """Do nothing."""

    def phase_ended(self, record: PhaseRecord) -> None:
        """Do nothing."""


_FACTS, _CHECKSUM = "progress", "crc32c"


class Progress(Config):
    """How far a training has come.

    Attributes:
        phase: Number of the phase that runs next or goes on, counted from 0.
        epoch: Epochs of it that have ended.
        phases: The phases that have ended.
        epochs: All epochs that have ended.
        best: The best epoch of the phase so far.
        groups: Settings of the optimiser's groups of weights.
        scheduler: State of the learning rate.
        scaler: State of the gradient scaler of float16.
        phase_seconds: Wall time of the phase so far [s].
        seconds: Wall time of the training so far [s].
    """

    phase: NonNegativeInt = 0
    epoch: NonNegativeInt = 0
    phases: tuple[PhaseRecord, ...] = ()
    epochs: tuple[EpochRecord, ...] = ()
    best: EpochRecord | None = None
    groups: tuple[dict[str, Any], ...] = ()
    scheduler: dict[str, Any] = Field(default_factory=dict)
    scaler: dict[str, Any] = Field(default_factory=dict)
    phase_seconds: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training at the end of an epoch.

    No state of a random generator is needed: each epoch seeds its own.

    Attributes:
        progress: How far it has come.
        system: The weights of all parts.
        best: The weights of the phase's best epoch, by "part/name".
        optimiser: The optimiser's tensors, by "number of the weight/name".
    """

    progress: Progress
    system: Mapping[str, torch.Tensor] = field(default_factory=dict)
    best: Mapping[str, torch.Tensor] = field(default_factory=dict)
    optimiser: Mapping[str, torch.Tensor] = field(default_factory=dict)


class Checkpoints(Protocol):
    """Where `fit` keeps its checkpoints, and finds the one to continue from."""

    def latest(self) -> Checkpoint | None:
        """The checkpoint to continue from, or `None`."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint."""


def write_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint as one safetensors file that appears at `path` when it is whole.

    Raises:
        StorageError: The disk refuses.
    """
    tensors = {
        f"{kind}/{name}": value.detach().cpu().contiguous()
        for kind in ("system", "best", "optimiser")
        for name, value in getattr(checkpoint, kind).items()
    }
    facts = json.dumps(checkpoint.progress.model_dump())
    metadata = {_FACTS: facts, _CHECKSUM: _checksum(tensors, facts)}
    write_tensors(path, tensors, metadata)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing in it is unpickled.

    Raises:
        InputError: It is no checkpoint, or damaged.
    """
    try:
        check_ordinary(path)
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a checkpoint: {error}") from error
    facts = metadata.get(_FACTS, "")
    if metadata.get(_CHECKSUM) != _checksum(tensors, facts):
        raise InputError(f"{path}: damaged: its checksum is wrong")
    try:
        progress = validate(Progress, parse_json(facts, finite=False), str(path))
    except ValueError as error:
        raise InputError(f"{path}: damaged: its description is no JSON") from error
    kinds: dict[str, dict[str, torch.Tensor]] = {"system": {}, "best": {}, "optimiser": {}}
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        if kind not in kinds:
            raise InputError(f"{path}: damaged: it holds '{key}', which no checkpoint has")
        kinds[kind][name] = value
    return Checkpoint(progress, **kinds)


def _checksum(tensors: Mapping[str, torch.Tensor], facts: str) -> str:
    total = google_crc32c.extend(0, facts.encode())
    for key in sorted(tensors):
        value = tensors[key]
        what = f"{key} {value.dtype} {tuple(value.shape)}".encode()
        total = google_crc32c.extend(total, what)
        total = google_crc32c.extend(total, value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return f"{total:08x}"


def restore_system(system: nn.Module, checkpoint: Checkpoint) -> None:
    """Give a system the weights of a checkpoint.

    Raises:
        InputError: They are those of another system.
    """
    own = {key: tuple(value.shape) for key, value in system.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in checkpoint.system.items()}
    for key in sorted(own.keys() | found.keys()):
        if own.get(key) != found.get(key):
            raise InputError(
                f"the checkpoint holds the weights of another system: '{key}' has shape "
                f"{found.get(key, 'none')}, expected {own.get(key, 'none')}; use --overwrite to "
                "begin anew"
            )
    system.load_state_dict(checkpoint.system)
