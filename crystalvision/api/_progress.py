"""Shows how trainings and benchmarks proceed: bars that appear after two seconds, and lines."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from crystalvision.benchmarks import CellKey, Outcome
from crystalvision.cli.console import Advance, err, progress
from crystalvision.training import EpochRecord, PhaseRecord


class TrainingBars:
    """Shows a bar for each phase while it runs, and a line once it has ended."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._advance: Advance | None = None

    def note(self, text: str) -> None:
        err.print(f"note: {text}", soft_wrap=True, markup=False)

    def phase_started(self, name: str, train: tuple[str, ...], epochs: int) -> None:
        self._stack.pop_all().close()  # the bar before this one
        err.print(
            f"phase {name}: trains {', '.join(train)} for {epochs} epoch{'s' * (epochs != 1)}"
        )
        self._advance = self._stack.enter_context(progress(name, epochs))

    def epoch_ended(self, record: EpochRecord) -> None:
        if self._advance is not None:
            self._advance(note=_describe(record))

    def phase_ended(self, record: PhaseRecord) -> None:
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


class CellBar:
    """Shows a bar of the cells of a benchmark, and a line for each that failed."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._advance: Advance | None = None

    def note(self, text: str) -> None:
        """See `crystalvision.benchmarks.Watcher`, as for the rest."""
        err.print(f"note: {text}", soft_wrap=True, markup=False)

    @contextmanager
    def step(self, what: str, total: int) -> Iterator[Callable[[int], object]]:
        """A bar of its own."""
        with progress(what, total) as advance:
            yield advance

    def cells_begin(self, total: int, done: int) -> None:
        """Begin the bar."""
        self._advance = self._stack.enter_context(progress("cells", total))
        self._advance(done)

    def cell_tells(self, key: CellKey, text: str) -> None:
        """Show beside the bar what runs."""
        if self._advance is not None:
            self._advance(0, note=f"{key.system} {text}")

    def cell_ended(self, key: CellKey, outcome: Outcome) -> None:
        """Move the bar on; a line for a cell that failed."""
        if outcome.status != "ok":
            self.note(f"{key}: {outcome.status}: {outcome.error}")
        if self._advance is not None:
            self._advance(1)

    def cells_end(self) -> None:
        """End the bar."""
        self._stack.close()
        self._advance = None
