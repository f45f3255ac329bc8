"""What shows how a training went: TensorBoard's events, and figures."""

import os
import shutil
import socket
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from crystalvision.storage import disk_errors
from crystalvision.text import figure_text, file_names
from crystalvision.training import EpochRecord, PhaseRecord

TENSORBOARD, FIGURES = "tensorboard", "figures"
_MEASURES = ("learning_rate", "train_loss", "validation_loss")
_VERSION = "brain.Event:2"  # the first event of every file of TensorBoard


class Curves:
    """TensorBoard's events of a training, written while it runs.

    They are written here and now: TensorBoard's own writer leaves it to a thread, which prints a
    traceback where the disk refuses.

    Args:
        folder: Where to write them, in place of what an earlier process wrote.
        epochs: The epochs that have ended already.

    Raises:
        StorageError: The disk refuses.
    """

    def __init__(self, folder: Path, epochs: Iterable[EpochRecord]) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._folder = folder
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.0"
        with disk_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self._file = (folder / name).open("wb")
            self._records = RecordWriter(self._file)
            self._write(file_version=_VERSION)
        for record in epochs:
            self.add(record)

    def add(self, record: EpochRecord) -> None:
        """Write an epoch.

        Raises:
            StorageError: The disk refuses.
        """
        from torch.utils.tensorboard.summary import scalar

        with disk_errors(self._folder):
            for measure in (*_MEASURES, *(f"validation_{name}" for name in record.scores)):
                summary = scalar(  # type: ignore[no-untyped-call]
                    f"{record.phase}/{measure}", record.value(measure)
                )
                self._write(summary=summary, step=record.epoch)
            self._file.flush()

    def close(self) -> None:
        """Close the file.

        Raises:
            StorageError: The disk refuses.
        """
        with disk_errors(self._folder):
            self._file.close()

    def _write(self, **what: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        event = Event(wall_time=time.time(), **what)
        self._records.write(event.SerializeToString())


def draw_curves(folder: Path, phases: Sequence[PhaseRecord], epochs: Sequence[EpochRecord]) -> None:
    """Draw each phase's training curves into a PNG file.

    Raises:
        OSError: The disk refuses.
    """
    from crystalvision.figures import draw_phase, drawing, kept_weights

    if not epochs:  # a classical system is fitted in one step
        return
    folder.mkdir()
    names = file_names((phase.name for phase in phases), "phase")
    for number, (phase, name) in enumerate(zip(phases, names, strict=True), 1):
        with drawing():
            figure = draw_phase(phase, [row for row in epochs if row.phase == phase.name])
            title = f"Phase {figure_text(phase.name, 30)}; {kept_weights(phase)}"
            figure.suptitle(title, fontsize=9)
            figure.savefig(folder / f"{number}-{name}.png", dpi=150)
