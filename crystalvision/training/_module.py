"""One phase as Lightning runs it."""

import math
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

import torch
from lightning.pytorch import LightningModule

from crystalvision.contracts import Targets
from crystalvision.errors import InputError
from crystalvision.models import System
from crystalvision.training._data import Batch
from crystalvision.training._learning_rates import scheduler
from crystalvision.training._optimise import optimiser
from crystalvision.training._outputs import head_outputs, read, total_loss
from crystalvision.training._phase import Phase
from crystalvision.training._preprocess import Augment
from crystalvision.training._records import EpochRecord


class Prepare(Protocol):
    """Makes what a network sees of images, after changing their counts."""

    def __call__(self, images: torch.Tensor, augment: Augment | None = None) -> torch.Tensor:
        """Prepare images (b, c, h, w)."""


class PhaseModule(LightningModule):
    """Trains the parts of one phase and keeps their best weights in memory.

    Args:
        system: The system; what the phase does not train is frozen.
        phase: The phase.
        batches: Batches of an epoch.
        prepare: What is still to be done to the images of any batch, on the device.
        augment: Changes the counts of a training batch.
        on_epoch: Told of each epoch.

    Attributes:
        best: The best epoch so far.
    """

    def __init__(
        self,
        system: System,
        phase: Phase,
        *,
        batches: int,
        prepare: Prepare,
        augment: Augment | None,
        on_epoch: Callable[[EpochRecord], None],
    ) -> None:
        super().__init__()
        self.system = system
        self.phase = phase
        self.parts = {name: part for name, part in system.parts().items() if name in phase.train}
        self.best: EpochRecord | None = None
        self._best_weights: dict[str, dict[str, torch.Tensor]] = {}
        self._batches = batches
        self._prepare = prepare
        self._augment = augment
        self._on_epoch = on_epoch
        self._sums: dict[str, torch.Tensor] = {}
        self._started = 0.0
        self._rate = phase.learning_rate.start
        system.requires_grad_(requires_grad=False)
        for part in self.parts.values():
            part.requires_grad_(requires_grad=True)

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen parts stay in evaluation mode, batch statistics included."""
        super().train(mode)
        self.system.eval()
        for part in self.parts.values():
            part.train(mode)
        return self

    def configure_optimizers(self) -> Any:
        """The phase's optimiser and learning rate, as Lightning wants them."""
        made = optimiser(self.phase, self.parts)
        rate = scheduler(
            self.phase.learning_rate, made, epochs=self.phase.epochs, batches=self._batches
        )
        return {"optimizer": made, "lr_scheduler": rate} if rate else made

    def on_train_epoch_start(self) -> None:
        """Begin the sums of an epoch."""
        self._sums = {}
        self._started = time.perf_counter()
        self._rate = float(self.trainer.optimizers[0].param_groups[0]["lr"])

    def training_step(self, batch: Batch, _index: int) -> torch.Tensor:
        """The loss of one batch."""
        inputs, label, severity = batch
        if isinstance(inputs, torch.Tensor):
            inputs = self._prepare(inputs, self._augment)
        loss = total_loss(head_outputs(self.system, self.phase, inputs), Targets(label, severity))
        self._add(train_loss=loss.detach() * len(label), train_count=torch.tensor(len(label)))
        return loss

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Add one batch to the validation's sums."""
        inputs, label, severity = batch
        targets = Targets(label, severity)
        if isinstance(inputs, torch.Tensor):
            inputs = self._prepare(inputs)
        heads = head_outputs(self.system, self.phase, inputs)
        told = read(heads)
        self._add(count=torch.tensor(len(label)), loss=total_loss(heads, targets) * len(label))
        if told.probabilities is not None:
            self._add(accuracy=(told.probabilities.argmax(1) == label).sum())
        if told.severity is not None:
            self._add(mae=(told.severity - severity).abs().sum())

    def on_train_epoch_end(self) -> None:
        """Record the epoch, whose validation has run, and keep its weights if it is the best."""
        record = self._record()
        for key in ("train_loss", "validation_loss"):  # for the plateau scheduler
            self.log(key, getattr(record, key))
        if not math.isfinite(record.train_loss) or not math.isfinite(record.validation_loss):
            raise InputError(
                f"phase '{self.phase.name}' diverged: its loss is not finite after epoch "
                f"{record.epoch}; lower its learning_rate ({self._rate:g})"
            )
        if self.best is None or self._rank(record) > self._rank(self.best):
            self.best = record
            self._best_weights = {
                name: {key: value.clone() for key, value in part.state_dict().items()}
                for name, part in self.parts.items()
            }
        self._on_epoch(record)

    def restore_best(self) -> None:
        """Put the best epoch's weights back."""
        for name, weights in self._best_weights.items():
            self.parts[name].load_state_dict(weights)

    def best_value(self) -> float:
        """The monitor's value at the best epoch."""
        return float(getattr(self.best, self.phase.monitor))

    def _rank(self, record: EpochRecord) -> tuple[float, float]:
        value = float(getattr(record, self.phase.monitor))
        return (value if self.phase.higher_is_better else -value, -record.validation_loss)

    def _add(self, **values: torch.Tensor) -> None:
        for key, value in values.items():  # tensors, so that a GPU need not wait for each batch
            self._sums[key] = self._sums[key] + value if key in self._sums else value

    def _record(self) -> EpochRecord:
        sums = {key: float(value) for key, value in self._sums.items()}
        count = sums["count"]
        return EpochRecord(
            phase=self.phase.name,
            epoch=self.current_epoch + 1,
            epochs=self.phase.epochs,
            learning_rate=self._rate,
            train_loss=sums["train_loss"] / sums["train_count"],
            validation_loss=sums["loss"] / count,
            validation_accuracy=sums["accuracy"] / count if "accuracy" in sums else None,
            validation_mae=sums["mae"] / count if "mae" in sums else None,
            seconds=round(time.perf_counter() - self._started, 3),
        )
