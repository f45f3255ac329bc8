"""Shows how a benchmark proceeds: a bar of its cells, and a line for each that has ended."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from crystalvision.benchmarks import BenchmarkFolder, CellKey, Outcome
from crystalvision.console import Advance, err, progress
from crystalvision.errors import InputError
from crystalvision.evaluation import load_metrics

_NOTE_WIDTH = 60
_MOST_TOLD = 6  # scores in a line


class Screen:
    """Shows a bar, a line for each cell that has ended, and notes.

    Args:
        folder: The benchmark's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._failures = 0
        self._place = BenchmarkFolder(folder)
        self._stack = ExitStack()
        self._advance: Advance | None = None
        self._now: dict[CellKey, str] = {}
        self._begun: dict[CellKey, float] = {}
        self._total = self._done = 0
        self._lock = threading.Lock()  # threads of cells tell at the same time

    def note(self, text: str) -> None:
        """See `crystalvision.benchmarks.Watcher`, as for the rest."""
        err.print(f"note: {text}", soft_wrap=True)

    @contextmanager
    def step(self, what: str, total: int) -> Iterator[Callable[[int], object]]:
        """A bar of its own."""
        with progress(what, total) as advance:
            yield advance

    def cells_begin(self, total: int, done: int) -> None:
        """Begin the bar of the cells."""
        self._total, self._done = total, done
        if done:
            err.print(f"{done} of {total} cells are done already")
        self._advance = self._stack.enter_context(progress("cells", total))
        self._advance(done)

    def cell_reports(self, key: CellKey, text: str) -> None:
        """Show beside the bar what runs."""
        with self._lock:
            self._begun.setdefault(key, time.monotonic())
            self._now[key] = text
            self._show()

    def cell_ended(self, key: CellKey, outcome: Outcome) -> None:
        """A line for the cell."""
        with self._lock:
            seconds = time.monotonic() - self._begun.pop(key, time.monotonic())
            self._now.pop(key, None)
            self._done += 1
            self._failures += outcome.status != "ok"
            words = f"{outcome.status}: {outcome.error}"
            if outcome.status == "ok":
                words = f"{self._judged(key)}{seconds:.0f} s"
            text = f"[{self._done}/{self._total}] {key}: {words}"
            err.print(text, soft_wrap=True)
            if self._advance is not None:
                self._advance(1)
            self._show()

    def cells_end(self) -> None:
        """End the bar."""
        self._stack.close()
        self._advance = None

    def _show(self) -> None:
        if self._advance is None:
            return
        running = "; ".join(f"{key.system} {text}" for key, text in self._now.items())
        failed = f"{self._failures} failed; " if self._failures else ""
        note = failed + running
        self._advance(0, note=note if len(note) <= _NOTE_WIDTH else note[: _NOTE_WIDTH - 1] + "…")

    def _judged(self, key: CellKey) -> str:
        """The score on each test, or of many the least and the greatest, as far as can be read."""
        scores: dict[str, dict[str, float]] = {}
        for path in sorted((self._place.run(key) / "evaluations").glob("[!.]*")):
            try:
                metrics = load_metrics(path)
            except InputError:
                continue
            name, value = next(iter(metrics.main.metrics.items()))
            scores.setdefault(name.replace("_", " "), {})[path.name] = value
        return "".join(_said(name, values) for name, values in scores.items())


def _said(name: str, values: Mapping[str, float]) -> str:
    if len(values) <= _MOST_TOLD:
        return "".join(f"{name} {value:.3f} on {test}, " for test, value in values.items())
    least, most = (choose(values, key=values.__getitem__) for choose in (min, max))
    span = f"{values[least]:.3f} on {least} to {values[most]:.3f} on {most}"
    return f"{name} from {span}, {len(values)} tests, "
