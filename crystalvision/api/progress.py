"""Shows how a training proceeds: bars that appear after two seconds, and lines."""

from contextlib import ExitStack

from crystalvision.console import Advance, err, progress
from crystalvision.training import EpochRecord, PhaseRecord


class TrainingBars:
    """Shows a bar for each phase while it runs, and a line once it has ended."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._advance: Advance | None = None

    def note(self, text: str) -> None:
        """See `crystalvision.training.Listener`, as for the rest."""
        err.print(f"note: {text}", soft_wrap=True)

    def phase_started(self, name: str, train: tuple[str, ...], epochs: int) -> None:
        """Begin a bar, in place of the one before."""
        self._stack.pop_all().close()  # the bar before this one
        err.print(
            f"phase {name}: trains {', '.join(train)} for {epochs} epoch{'s' * (epochs != 1)}"
        )
        self._advance = self._stack.enter_context(progress(name, epochs))

    def epoch_ended(self, record: EpochRecord) -> None:
        """Move the bar on."""
        if self._advance is not None:
            self._advance(note=_describe(record))

    def phase_ended(self, record: PhaseRecord) -> None:
        """A line for the phase."""
        self._stack.pop_all().close()
        self._advance = None
        err.print(
            f"phase {record.name}: best {record.monitor} {record.best_value:.4f} at epoch "
            f"{record.best_epoch} of {record.epochs}, {record.seconds:.1f} s"
        )


def _describe(record: EpochRecord) -> str:
    scores = (f"{name.replace('_', ' ')} {value:.3f}" for name, value in record.scores.items())
    parts = [f"loss {record.validation_loss:.3f}", *scores]
    return ", ".join(parts)
