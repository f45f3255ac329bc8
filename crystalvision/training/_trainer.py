"""Lightning's trainer, quiet and interruptible. Imports Lightning only when it is used."""

import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crystalvision.errors import TerminatedError
from crystalvision.processes import interruption, terminable
from crystalvision.training._machine import Machine

if TYPE_CHECKING:
    from lightning.pytorch import Callback, Trainer

RESUMABLE = "; the same command goes on with it"
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
        callbacks=[_keep_sigterm()],
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
    """Turn the exit that Lightning makes of Ctrl-C back into what it is, and let SIGTERM end it.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        TerminatedError: SIGTERM, for which Lightning would ask the other processes first, which may
            hang, and exit as if all were well.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        with terminable():
            yield
    except SystemExit as exit_:
        if isinstance(exit_.__context__, KeyboardInterrupt):
            signal.signal(signal.SIGINT, handler)
            raise _resumable(exit_.__context__) from None
        raise
    except TerminatedError as error:
        raise _resumable(error) from None


def _resumable(error: KeyboardInterrupt) -> KeyboardInterrupt:
    if isinstance(error, TerminatedError):
        return interruption(signal.SIGTERM, RESUMABLE)
    return error


def _keep_sigterm() -> "Callback":
    """Puts back the answer to SIGTERM, which Lightning replaces just before training begins."""
    from lightning.pytorch import Callback, LightningModule

    handler = signal.getsignal(signal.SIGTERM)

    class KeepSigterm(Callback):
        def on_fit_start(self, trainer: "Trainer", pl_module: LightningModule) -> None:
            del trainer, pl_module
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, handler)

    return KeepSigterm()
