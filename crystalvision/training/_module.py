"""One phase as Lightning runs it."""

import math
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

import torch
from lightning.pytorch import LightningModule

from crystalvision.contracts import Targets
from crystalvision.inputs import Augment
from crystalvision.models import System
from crystalvision.training._batches import Batch
from crystalvision.training._checkpoint import Checkpoint, DivergenceError, EpochRecord, Progress
from crystalvision.training._learning_rates import scheduler
from crystalvision.training._memory import MicroBatches, batch_size
from crystalvision.training._optimiser import (
    optimiser,
    optimiser_groups,
    optimiser_tensors,
    restore_optimiser,
    restore_scheduler,
    scheduler_state,
)
from crystalvision.training._outputs import (
    Scorers,
    head_outputs,
    learnt_in,
    monitored,
    read,
    total_loss,
)
from crystalvision.training._processes import ProcessGroup, Sums
from crystalvision.training._schedule import Phase

OnEpoch = Callable[[EpochRecord, Checkpoint], None]
"""Told of each epoch, with what is needed to go on after it."""


class Prepare(Protocol):
    """Makes what a network sees of images, after changing their counts."""

    def __call__(self, images: torch.Tensor, augment: Augment | None = None) -> torch.Tensor:
        """Prepare images (b, c, h, w)."""


class PhaseModule(LightningModule):
    """Trains the parts of one phase and keeps their best weights in memory.

    Batches are optimised by hand, so that one may be computed in parts, and every part of the state
    is at hand at the end of an epoch.

    Args:
        system: The system; what the phase does not train is frozen.
        phase: The phase.
        samples: Samples of an epoch, of all processes.
        batches: Batches of an epoch.
        prepare: What is still to be done to the images of a training batch, on the device.
        prepare_validation: The same of a batch of the validation, which may be kept otherwise.
        augment: Changes the counts of a training batch.
        micro: Splits batches.
        scorers: What judges each target, by its name.
        group: The processes that train together.
        reseed: Seeds what an epoch draws.
        on_epoch: Told of each epoch.
        start: The checkpoint to go on from, of this phase.

    Attributes:
        best: The best epoch so far.
        epoch: Epochs that have ended.
    """

    def __init__(
        self,
        system: System,
        phase: Phase,
        *,
        samples: int,
        batches: int,
        prepare: Prepare,
        prepare_validation: Prepare,
        augment: Augment | None,
        micro: MicroBatches,
        scorers: Scorers,
        group: ProcessGroup,
        reseed: Callable[[int], None],
        on_epoch: OnEpoch,
        start: Checkpoint,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.system = system
        self.phase = phase
        self.parts = {name: part for name, part in system.parts().items() if name in phase.train}
        self.best = start.progress.best
        self.epoch = start.progress.epoch
        self._best_weights = dict(start.best)
        self._samples = samples
        self._batches = batches
        self._prepare = prepare
        self._prepare_validation = prepare_validation
        self._augment = augment
        self._micro = micro
        self._group = group
        self._reseed = reseed
        self._on_epoch = on_epoch
        self._start = start
        learnt = learnt_in(system, phase)
        self._monitor = monitored(phase, learnt, scorers)
        self._scorers = {name: scorers[name] for each in learnt.values() for name in each}
        self._sums = self._new_sums()
        self._started = 0.0
        self._rate = phase.learning_rate.start
        self._schedule: dict[str, Any] | None = None
        system.requires_grad_(requires_grad=False)
        for part in self.parts.values():
            part.requires_grad_(requires_grad=True)

    @property
    def ended(self) -> bool:
        """Whether all epochs have run, or enough without a better one."""
        waited = self.epoch - (self.best.epoch if self.best else 0)
        patience = self.phase.patience
        return self.epoch >= self.phase.epochs or (patience is not None and waited >= patience)

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen parts stay in evaluation mode, batch statistics included."""
        super().train(mode)
        self.system.eval()
        for part in self.parts.values():
            part.train(mode)
        return self

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The phase's optimiser, as it was left; the learning rate is stepped by hand too."""
        made = optimiser(self.phase, self.parts)
        self._schedule = scheduler(
            self.phase.learning_rate, made, epochs=self.phase.epochs, batches=self._batches
        )
        if self.epoch:
            restore_optimiser(made, self._start.optimiser, self._start.progress.groups)
            if self._schedule:
                restore_scheduler(self._schedule["scheduler"], self._start.progress.scheduler)
            if self._start.progress.scaler:
                self.trainer.precision_plugin.load_state_dict(self._start.progress.scaler)
        return made

    def on_train_epoch_start(self) -> None:
        """Begin the sums of an epoch, and seed what it draws."""
        self._sums = self._new_sums()
        self._started = time.perf_counter()
        self._rate = float(self._optimiser().param_groups[0]["lr"])
        self._reseed(self.epoch)

    def training_step(self, batch: Batch, index: int) -> None:
        """Learn from one batch."""
        inputs, targets = batch
        if isinstance(inputs, torch.Tensor):  # and no features that were kept
            inputs = self._prepare(inputs, self._augment)
        count = min(self.phase.batch_size, self._samples - index * self.phase.batch_size)
        share = self._group.share.weight(count)

        def backward(some: Any, targets: Targets, weight: float) -> torch.Tensor:
            loss = total_loss(head_outputs(self.system, self.phase, some), targets)
            self.manual_backward(loss * (weight * share))
            return loss.detach()

        chosen = self.optimizers()
        assert not isinstance(chosen, list)  # noqa: S101 - there is one, for mypy
        loss = self._micro.run(
            inputs,
            targets,
            backward,
            chosen.zero_grad,
            least=self._group.share.least_of_training(count),
        )
        chosen.step()
        if self._schedule and self._schedule["interval"] == "step":
            self._schedule["scheduler"].step()
        part = count * share / self._group.share.size
        self._sums.add(train_loss=loss * part, train_count=torch.tensor(part))

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Add one batch to the validation's sums."""
        inputs, targets = batch
        count = batch_size(targets)
        if not count:  # other processes have taken all of it
            return
        if isinstance(inputs, torch.Tensor):
            inputs = self._prepare_validation(inputs)
        heads = head_outputs(self.system, self.phase, inputs)
        loss = total_loss(heads, targets)
        self._sums.add(count=torch.tensor(count), loss=loss * count)
        said = read(self.system, heads)
        for name, scorer in self._scorers.items():
            self._sums.add(**{scorer.name: scorer.total(said[name], targets[name])})

    def on_train_epoch_end(self) -> None:
        """Record the epoch, whose validation has run, and keep its weights if it is the best."""
        record = self._record()
        if not math.isfinite(record.train_loss) or not math.isfinite(record.validation_loss):
            raise DivergenceError(
                f"phase '{self.phase.name}' diverged: its loss is not finite after epoch "
                f"{record.epoch}; lower its learning_rate ({self._rate:g})"
            )
        if self._schedule and self._schedule["interval"] == "epoch":
            self._schedule["scheduler"].step(record.value(self._schedule["monitor"]))
        self.epoch = record.epoch
        if self.best is None or self._rank(record) > self._rank(self.best):
            self.best = record
            self._best_weights = {
                f"{name}/{key}": value.clone()
                for name, part in self.parts.items()
                for key, value in part.state_dict().items()
            }
        self.trainer.should_stop = self.ended
        self._on_epoch(record, self._checkpoint())

    def restore_best(self) -> None:
        """Put the best epoch's weights back."""
        for name, part in self.parts.items():
            prefix = f"{name}/"
            weights = {
                key.removeprefix(prefix): value
                for key, value in self._best_weights.items()
                if key.startswith(prefix)
            }
            part.load_state_dict(weights)

    def best_value(self) -> float:
        """The monitor's value at the best epoch."""
        assert self.best is not None  # noqa: S101 - an epoch has run, for mypy
        return self.best.value(self._monitor.name)

    def _checkpoint(self) -> Checkpoint:
        """What is needed to go on with this phase; the caller adds what came before it."""
        made = self._optimiser()
        progress = Progress(
            epoch=self.epoch,
            best=self.best,
            groups=optimiser_groups(made),
            scheduler=scheduler_state(self._schedule["scheduler"]) if self._schedule else {},
            scaler=self.trainer.precision_plugin.state_dict(),
        )
        weights = self.system.state_dict()
        return Checkpoint(progress, weights, self._best_weights, optimiser_tensors(made))

    def _optimiser(self) -> torch.optim.Optimizer:
        return self.trainer.optimizers[0]

    def _rank(self, record: EpochRecord) -> tuple[float, float]:
        value = record.value(self._monitor.name)
        return (value if self._monitor.higher_is_better else -value, -record.validation_loss)

    def _new_sums(self) -> Sums:
        scores = [scorer.name for scorer in self._scorers.values()]
        return Sums(("train_loss", "train_count", "loss", "count", *scores))

    def _record(self) -> EpochRecord:
        sums = self._sums.total(self._group)
        return EpochRecord(
            phase=self.phase.name,
            epoch=self.epoch + 1,
            epochs=self.phase.epochs,
            learning_rate=self._rate,
            train_loss=sums["train_loss"] / sums["train_count"],
            validation_loss=sums["loss"] / sums["count"],
            scores={
                scorer.name: sums[scorer.name] / sums["count"] for scorer in self._scorers.values()
            },
            seconds=round(time.perf_counter() - self._started, 3),
        )
