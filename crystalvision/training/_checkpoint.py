"""Checkpoints: everything that a training needs to go on, as safetensors and JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import google_crc32c
import torch
from pydantic import Field, NonNegativeInt
from safetensors import SafetensorError, safe_open

from crystalvision.config import Config, validate
from crystalvision.errors import InputError
from crystalvision.json_text import parse_json
from crystalvision.ordinary_files import check_ordinary
from crystalvision.storage import write_tensors
from crystalvision.training._records import EpochRecord, PhaseRecord

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
