"""Lightning's trainer, quiet and interruptible. Imports Lightning only when it is used."""

import logging
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crystalvision.errors import TerminatedError
from crystalvision.training._machine import Machine

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

_PRECISIONS: dict[str, Any] = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


def make_trainer(machine: Machine, *, epochs: int, precision: str) -> "Trainer":
    """A trainer that runs so many epochs and does nothing else."""
    from lightning.fabric.plugins.environments.lightning import LightningEnvironment
    from lightning.pytorch import Trainer

    several = machine.processes > 1
    strategy = "ddp" if several and machine.strategy == "auto" else machine.strategy
    gpu = machine.device.type == "cuda"
    return Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy=strategy,
        precision=_PRECISIONS[precision],
        # Processes are started as torchrun does it; a SLURM shell around them means nothing.
        plugins=[LightningEnvironment()],
        sync_batchnorm=several and gpu,
        use_distributed_sampler=False,  # our batches are shared already, and nothing twice
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,  # ours are no pickles
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning's notes on devices and tips off the screen, and its use of a torch name."""
    from lightning.fabric.utilities.warnings import PossibleUserWarning

    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Lightning 2.6 with torch 2.12 or newer: neither the user's doing nor ours.
            warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)
            # Advice: on parts in evaluation mode, which are frozen on purpose, and on idle GPUs.
            warnings.filterwarnings("ignore", category=PossibleUserWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the exits that Lightning makes of Ctrl-C and of SIGTERM back into what they are.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        TerminatedError: SIGTERM, for which Lightning would exit as if all were well.
    """
    from lightning.pytorch.utilities.exceptions import SIGTERMException

    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as exit_:
        if isinstance(exit_.__context__, KeyboardInterrupt):
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from exit_
        if isinstance(exit_, SIGTERMException):
            raise TerminatedError("terminated; the same command goes on with it") from exit_
        raise
