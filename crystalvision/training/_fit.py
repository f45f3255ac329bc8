"""Runs the phases of an experiment, one after another.

Lightning takes as long to import as all else together, so it is imported when training begins:
what is wrong with an experiment is found without it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import torch

from crystalvision.contracts import Augmentation, Head
from crystalvision.models import System
from crystalvision.plugins import Catalogue
from crystalvision.training._augment import augmenter
from crystalvision.training._batches import Batches, BatchSource, Inputs, pinned
from crystalvision.training._checkpoint import (
    Checkpoint,
    Checkpoints,
    EpochRecord,
    Listener,
    PhaseRecord,
    Progress,
    Silent,
    restore_system,
)
from crystalvision.training._machine import DROPOUT, Machine, Seeds, fast, seeded
from crystalvision.training._memory import MicroBatches, in_batches_that_fit
from crystalvision.training._outputs import Scorers, build_scorers, cache
from crystalvision.training._patterns import Patterns
from crystalvision.training._processes import ProcessGroup
from crystalvision.training._schedule import Phase
from crystalvision.training._trainer import interruptible, make_trainer, quiet


@dataclass(slots=True)
class History:
    """What happened in a training: its phases and all of their epochs, and its wall time [s]."""

    phases: list[PhaseRecord] = field(default_factory=list)
    epochs: list[EpochRecord] = field(default_factory=list)
    seconds: float = 0.0


def fit(
    system: System,
    phases: Sequence[Phase],
    training: Patterns,
    validation: Patterns,
    *,
    scorers: Scorers | None = None,
    augment: Sequence[Augmentation] = (),
    precision: str = "32",
    seed: int = 0,
    machine: Machine | None = None,
    group: ProcessGroup | None = None,
    listener: Listener | None = None,
    checkpoints: Checkpoints | None = None,
) -> History:
    """Train a system through its phases; it ends on the CPU with the best weights of each phase.

    Where a phase trains no branch, the branches' features are computed once and kept, and nothing
    is augmented. On the CPU the same seed gives the same weights, bit for bit with the same number
    of threads, also if the training was stopped and continued from a checkpoint.

    Args:
        system: The system; changed in place.
        phases: The phases, in order.
        training: Patterns to learn from.
        validation: Patterns to choose the best epoch by.
        scorers: What judges each target, by its name; by default the tasks that are installed.
        augment: Changes the counts of training images, in this order.
        precision: `32`, `bf16` or `16`.
        seed: Draws order, augmentation and dropout.
        machine: Where to train; by default on the CPU, in one process.
        group: The processes that train together; by default this one alone.
        listener: Told how it proceeds.
        checkpoints: Where to keep the state at the end of each epoch, and to continue from.

    Raises:
        InputError: A phase diverges, its batches do not fit into memory, or the checkpoint is that
            of another system.
    """
    loop = _Loop(
        system,
        training,
        validation,
        scorers=scorers or build_scorers(system.targets, Catalogue.load()),
        augment=augment,
        precision=precision,
        seed=seed,
        machine=machine or Machine(),
        group=group or ProcessGroup(),
        listener=listener or Silent(),
        checkpoints=checkpoints,
    )
    with fast(system, loop.machine):
        loop.run(phases)
    progress = loop.progress
    return History(list(progress.phases), list(progress.epochs), progress.seconds)


class _Loop:
    """A training under way."""

    def __init__(
        self,
        system: System,
        training: Patterns,
        validation: Patterns,
        *,
        scorers: Scorers,
        augment: Sequence[Augmentation],
        precision: str,
        seed: int,
        machine: Machine,
        group: ProcessGroup,
        listener: Listener,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.machine = machine
        self._system = system
        self._training = training
        self._validation = validation
        self._scorers = scorers
        self._augment = augment
        self._precision = precision
        self._seed = seed
        self._phases: tuple[Phase, ...] = ()
        self._group = group
        self._listener = listener
        self._checkpoints = checkpoints
        found = checkpoints.latest() if checkpoints else None
        self._start = found or Checkpoint(Progress())
        if found:
            restore_system(system, found)
        else:
            for head in system.heads().values():
                # Most look at nothing, and an epoch of online samples need not be made for them.
                if type(head).observe is not Head.observe:
                    head.observe(training.targets)
        self.progress = self._start.progress
        self._before = self.progress.seconds
        self._started = time.perf_counter()

    def run(self, phases: Sequence[Phase]) -> None:
        """Run the phases that are left."""
        self._phases = tuple(phases)
        first = self._start.progress.phase
        for number, phase in enumerate(phases[first:], first):
            done = self._start.progress.epoch
            if done:
                self._listener.note(
                    f"continuing from phase {phase.name}, epoch {done + 1} of {phase.epochs}"
                )
            elif number and number == first:
                self._listener.note(f"continuing from phase {phase.name}")
            self._listener.phase_started(phase.name, phase.train, phase.epochs - done)
            # Each phase has seeds of its own: how long one ran does not change the next's draws.
            with seeded(self._seed, number, DROPOUT):
                record = self._run_phase(number, phase)
            self._group.copy_from_first(self._system)
            self._start = Checkpoint(Progress())
            self.progress = Progress(
                phase=number + 1,
                phases=(*self.progress.phases, record),
                epochs=self.progress.epochs,
                seconds=self._seconds(),
            )
            self._save(Checkpoint(self.progress, self._system.state_dict()))
            self._listener.phase_ended(record)

    def _run_phase(self, number: int, phase: Phase) -> PhaseRecord:
        from crystalvision.training._module import PhaseModule

        started = time.perf_counter()
        start = self._start
        seeds = Seeds(self._seed, number, self._group.share.rank)
        begin = self._begins(seeds, number)
        batches, checks = self._batches(phase, seeds.order)
        learns = any(name in phase.train for name in self._system.branches)
        begin(start.progress.epoch)

        def on_epoch(record: EpochRecord, checkpoint: Checkpoint) -> None:
            begin(record.epoch)  # Lightning asks for the next order after this
            self._end_epoch(number, record, checkpoint, time.perf_counter() - started)

        module = PhaseModule(
            self._system,
            phase,
            samples=len(self._training),
            batches=len(batches),
            prepare=self._training.prepare,
            prepare_validation=self._validation.prepare,
            augment=augmenter(self._augment, seeds.augment) if learns else None,
            micro=MicroBatches(
                self.machine.accumulate,
                grow=self._group.share.size == 1,
                note=self._listener.note,
            ),
            scorers=self._scorers,
            group=self._group,
            reseed=seeds.begin_drawing,
            on_epoch=on_epoch,
            start=start,
        )
        if not module.ended:
            module.train()
            epochs = phase.epochs - module.epoch
            with quiet(), interruptible():
                trainer = make_trainer(self.machine, epochs=epochs, precision=self._precision)
                trainer.fit(module, batches, checks)
        module.restore_best()
        # Convolutions of the next phase may be of other branches; this one's need no device more.
        self._system.cpu()
        return PhaseRecord(
            name=phase.name,
            train=phase.train,
            epochs=module.epoch,
            monitor=phase.monitor,
            best_epoch=module.best.epoch if module.best else 0,
            best_value=module.best_value(),
            seconds=round(start.progress.phase_seconds + time.perf_counter() - started, 3),
        )

    def _begins(self, seeds: Seeds, number: int) -> Callable[[int], None]:
        """What begins an epoch of a phase: its order, and its patterns, if they are made for it."""
        before = sum(phase.epochs for phase in self._phases[:number])

        def begin(epoch: int) -> None:
            seeds.begin(epoch)
            self._training.begin(before + epoch)

        return begin

    def _batches(
        self, phase: Phase, order: torch.Generator
    ) -> tuple[BatchSource[Inputs], BatchSource[Inputs]]:
        """Batches to learn from, and to validate with."""
        share, device = self._group.share, self._group.device
        # Batches of the validation change nothing but its speed; on a GPU what is learnt from fits.
        size = phase.batch_size
        check_size = size if device.type == "cuda" else max(size, 32)
        if any(name in phase.train for name in self._system.branches):
            return (
                pinned(self._training.batches(size, order, share), device),
                pinned(self._validation.batches(check_size, share=share), device),
            )
        features = [
            in_batches_that_fit(partial(cache, self._system, patterns, device))
            for patterns in (self._training, self._validation)
        ]
        self._system.cpu()
        return (
            Batches(features[0], self._training.targets, size, order, share),
            Batches(features[1], self._validation.targets, check_size, share=share),
        )

    def _end_epoch(
        self, number: int, record: EpochRecord, checkpoint: Checkpoint, seconds: float
    ) -> None:
        self.progress = checkpoint.progress.model_copy(
            update={
                "phase": number,
                "phases": self.progress.phases,
                "epochs": (*self.progress.epochs, record),
                "phase_seconds": self._start.progress.phase_seconds + seconds,
                "seconds": self._seconds(),
            }
        )
        self._save(replace(checkpoint, progress=self.progress))
        self._listener.epoch_ended(record)

    def _save(self, checkpoint: Checkpoint) -> None:
        if self._checkpoints and self._group.is_main_process:
            self._checkpoints.save(checkpoint)

    def _seconds(self) -> float:
        return round(self._before + time.perf_counter() - self._started, 3)
