"""What shows how a training went: TensorBoard's events, and figures."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from crystalvision.runs._folder import storage_errors
from crystalvision.text import figure_text, file_names
from crystalvision.training import EpochRecord, PhaseRecord

TENSORBOARD, FIGURES = "tensorboard", "figures"
_MEASURES = (
    "learning_rate",
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "validation_mae",
)


class Curves:
    """TensorBoard's events of a training, written while it runs.

    Args:
        folder: Where to write them, in place of what an earlier process wrote.
        epochs: The epochs that have ended already.
    """

    def __init__(self, folder: Path, epochs: Iterable[EpochRecord]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._folder = folder
        with storage_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            self._writer: SummaryWriter = SummaryWriter(str(folder), flush_secs=10)
        for record in epochs:
            self.add(record)

    def add(self, record: EpochRecord) -> None:
        """Write an epoch."""
        with storage_errors(self._folder):
            for measure in _MEASURES:
                value = getattr(record, measure)
                if value is not None:
                    tag = f"{record.phase}/{measure}"
                    self._writer.add_scalar(tag, value, record.epoch)

    def close(self) -> None:
        """Write what is still in memory."""
        with storage_errors(self._folder):
            self._writer.close()


def draw_curves(folder: Path, phases: Sequence[PhaseRecord], epochs: Sequence[EpochRecord]) -> None:
    """Draw each phase's training curves into a PNG file.

    Raises:
        OSError: The disk refuses.
    """
    from crystalvision.figures import draw_phase, drawing, told_kept

    if not epochs:  # a classical system is fitted in one step
        return
    folder.mkdir()
    names = file_names((phase.name for phase in phases), "phase")
    for number, (phase, name) in enumerate(zip(phases, names, strict=True), 1):
        with drawing():
            figure = draw_phase(phase, [row for row in epochs if row.phase == phase.name])
            figure.suptitle(f"Phase {figure_text(phase.name, 30)}; {told_kept(phase)}", fontsize=9)
            figure.savefig(folder / f"{number}-{name}.png", dpi=150)
