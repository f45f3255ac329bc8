"""A listener that passes on what it is told, and hands each epoch to something else as well."""

from collections.abc import Callable

from crystalvision.training import EpochRecord, Listener


class Watched:
    """A listener, and something that is handed each epoch before it."""

    def __init__(self, listener: Listener, on_epoch: Callable[[EpochRecord], None]) -> None:
        self._listener = listener
        self._on_epoch = on_epoch
        self.note = listener.note
        self.phase_started = listener.phase_started
        self.phase_ended = listener.phase_ended

    def epoch_ended(self, record: EpochRecord) -> None:
        """An epoch has ended."""
        self._on_epoch(record)
        self._listener.epoch_ended(record)
