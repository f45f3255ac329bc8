"""Runs the phases of an experiment, one after another.

Lightning takes as long to import as all else together, so it is imported when training begins:
what is wrong with an experiment is found without it.
"""

import logging
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from crystalvision.contracts import Augmentation
from crystalvision.models import System
from crystalvision.training._augment import augmenter
from crystalvision.training._data import Batches, BatchSource, Inputs, Patterns
from crystalvision.training._device import derive, seeded
from crystalvision.training._outputs import cache
from crystalvision.training._phase import Phase
from crystalvision.training._preprocess import Augment
from crystalvision.training._records import EpochRecord, Listener, PhaseRecord, Silent

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


@dataclass(slots=True)
class History:
    """What happened in a training: its phases and all of their epochs."""

    phases: list[PhaseRecord] = field(default_factory=list)
    epochs: list[EpochRecord] = field(default_factory=list)


def fit(
    system: System,
    phases: Sequence[Phase],
    training: Patterns,
    validation: Patterns,
    *,
    augment: Sequence[Augmentation] = (),
    seed: int = 0,
    device: torch.device | None = None,
    listener: Listener | None = None,
) -> History:
    """Train a system through its phases; it ends on the CPU with the best weights of each phase.

    Where a phase trains no branch, the branches' features are computed once and kept, and nothing
    is augmented. On the CPU the same seed gives the same weights, bit for bit with the same number
    of threads.

    Args:
        system: The system; changed in place.
        phases: The phases, in order.
        training: Patterns to learn from.
        validation: Patterns to choose the best epoch by.
        augment: Changes the counts of training images, in this order.
        seed: Draws order, augmentation and dropout.
        device: Where to train; by default the CPU.
        listener: Told how it proceeds.

    Raises:
        InputError: A phase diverges.
    """
    history = History()
    listener = listener or Silent()
    device = device or torch.device("cpu")
    # Convolutions run up to twice as fast with the channels last, on CPUs and GPUs alike.
    system.to(memory_format=torch.channels_last)
    for number, phase in enumerate(phases):
        listener.phase_started(phase.name, phase.train, phase.epochs)
        # Each phase has seeds of its own: how long one ran does not change the next one's draws.
        generator = torch.Generator().manual_seed(derive(seed, number, 1))

        def on_epoch(record: EpochRecord) -> None:
            history.epochs.append(record)
            listener.epoch_ended(record)

        with seeded(seed, number, 2):
            record = _fit_phase(
                system,
                phase,
                training,
                validation,
                generator=generator,
                augment=augmenter(augment, generator),
                device=device,
                on_epoch=on_epoch,
            )
        history.phases.append(record)
        listener.phase_ended(record)
    system.to(memory_format=torch.contiguous_format)
    system.cpu().eval().requires_grad_(requires_grad=True)
    return history


def _fit_phase(
    system: System,
    phase: Phase,
    training: Patterns,
    validation: Patterns,
    *,
    generator: torch.Generator,
    augment: Augment | None,
    device: torch.device,
    on_epoch: Callable[[EpochRecord], None],
) -> PhaseRecord:
    from crystalvision.training._module import PhaseModule

    started = time.perf_counter()
    # Batches of the validation change nothing but its speed.
    size, check_size = phase.batch_size, max(phase.batch_size, 32)
    if any(name in phase.train for name in system.branches):
        batches: BatchSource[Inputs] = training.batches(size, generator)
        checks: BatchSource[Inputs] = validation.batches(check_size)
    else:
        features = [cache(system, patterns, device) for patterns in (training, validation)]
        system.cpu()
        batches = Batches(features[0], training.targets, size, generator)
        checks = Batches(features[1], validation.targets, check_size)
    module = PhaseModule(
        system,
        phase,
        batches=len(batches),
        prepare=training.prepare,
        augment=augment,
        on_epoch=on_epoch,
    )
    module.train()
    with _quiet(), _interruptible():
        _trainer(phase, device).fit(module, batches, checks)
    module.restore_best()
    return PhaseRecord(
        name=phase.name,
        train=phase.train,
        epochs=phase.epochs,
        monitor=phase.monitor,
        best_epoch=module.best.epoch if module.best else 0,
        best_value=module.best_value(),
        seconds=round(time.perf_counter() - started, 3),
    )


def _trainer(phase: Phase, device: torch.device) -> "Trainer":
    from lightning.pytorch import Trainer

    return Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        max_epochs=phase.epochs,
        logger=False,
        enable_checkpointing=False,  # the best weights are kept in memory
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's notes on devices and tips off the screen, and its use of a torch name."""
    from lightning.fabric.utilities.warnings import PossibleUserWarning

    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Lightning 2.6 with torch 2.12 or newer: neither the user's doing nor ours.
            warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)
            # Advice: on parts in evaluation mode, which are frozen on purpose, and on idle GPUs.
            warnings.filterwarnings("ignore", category=PossibleUserWarning)
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn the exit that Lightning makes of Ctrl-C back into a KeyboardInterrupt."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as exit_:
        if isinstance(exit_.__context__, KeyboardInterrupt):
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from exit_
        raise
