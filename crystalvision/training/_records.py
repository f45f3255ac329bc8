"""What a training tells about itself."""

from typing import Protocol

from pydantic import Field

from crystalvision.config import Config
from crystalvision.errors import InputError


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
