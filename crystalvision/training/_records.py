"""What a training tells about itself."""

from typing import Protocol

from crystalvision.config import Config
from crystalvision.errors import InputError


class DivergenceError(InputError):
    """A loss is not finite any more: to go on from there is in vain."""


class EpochRecord(Config):
    """One epoch: a row of `metrics.csv`.

    Attributes:
        phase: Name of the phase.
        epoch: Counts from 1 within the phase.
        epochs: Epochs of the phase.
        learning_rate: At the start of the epoch.
        train_loss: Mean over the epoch, while the weights changed.
        validation_loss: After the epoch.
        validation_accuracy: After the epoch; `None` where no trained head tells classes.
        validation_mae: Mean absolute error of the severity after the epoch; `None` where no trained
            head tells it.
        seconds: Wall time of the epoch [s].
    """

    phase: str
    epoch: int
    epochs: int
    learning_rate: float
    train_loss: float
    validation_loss: float
    validation_accuracy: float | None
    validation_mae: float | None
    seconds: float


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
