"""Where a training runs: what changes its speed, and not, but for rounding, its result."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from crystalvision.available_memory import check_processes
from crystalvision.errors import InputError
from crystalvision.models import System


def choose_device(name: str) -> torch.device:
    """The device called `cpu`, `cuda` or `auto` (`cuda` where there is one).

    Raises:
        InputError: Another name, or `cuda` where there is none.
    """
    if name not in {"cpu", "cuda", "auto"}:
        raise InputError(f"--device {name}: expected cpu, cuda or auto")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no CUDA device here; use --device cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def seeded(*seed: int) -> Iterator[None]:
    """Seed torch's global generators, and put them back as they were afterwards.

    First weights and dropout draw from those generators and take no other.
    """
    # Asking a GPU for its state would start it, also where nothing is to run on it.
    awake: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # torch types it not
    gpus = range(torch.cuda.device_count()) if awake else ()
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(derive(*seed))
        yield


def derive(*seed: int) -> int:
    """One seed from several whole numbers."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> np.uint64(1))


STRATEGIES = (
    "auto",
    "ddp",
    "ddp_find_unused_parameters_false",
    "ddp_find_unused_parameters_true",
)
_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a training runs.

    Attributes:
        device: The kind of device.
        devices: How many of them on each node, or processes on a CPU; each takes its part of every
            batch.
        nodes: How many nodes.
        strategy: How Lightning spreads the work, one of `STRATEGIES`; `auto` is `ddp` for several
            processes. Others share the weights out, or start processes in ways of their own.
        compile: Whether backbones are compiled.
        accumulate: Parts in which a batch is computed one after another, for less memory; the
            gradients are added up. Batch statistics are those of the parts.
    """

    device: torch.device = _CPU
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    compile: bool = False
    accumulate: int = 1

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            InputError: A number below one, more GPUs than there are, or more processes than the
                memory holds.
        """
        for name in ("devices", "nodes", "accumulate"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name} {getattr(self, name)}: expected 1 or more")
        if self.device.type == "cuda" and self.devices > torch.cuda.device_count():
            raise InputError(
                f"--devices {self.devices}: this machine has {torch.cuda.device_count()} CUDA "
                "devices"
            )
        if self.device.type == "cpu":
            check_processes(self.devices, f"--devices {self.devices}")
        if self.strategy not in STRATEGIES:
            raise InputError(f"--strategy {self.strategy}: expected {', '.join(STRATEGIES)}")

    def check_precision(self, precision: str) -> None:
        """Check that an experiment's precision can be had here.

        Raises:
            InputError: It cannot; a CPU has no float16 to train with.
        """
        if precision == "16" and self.device.type == "cpu":
            raise InputError(
                "precision 16 needs a GPU: give --device cuda, or take precision bf16 or 32"
            )

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return self.devices * self.nodes

    @property
    def name(self) -> str:
        """`cpu`, or the GPU's name."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"

    @classmethod
    def called(cls, device: str = "cpu", **settings: int | str | bool) -> "Machine":
        """A machine by the name of its device, `cpu`, `cuda` or `auto`.

        Raises:
            InputError: A setting that is wrong, or a device that is not there.
        """
        return cls(choose_device(device), **settings)  # type: ignore[arg-type]


ORDER, DROPOUT, AUGMENT = 1, 2, 3
"""What seeds of a phase are derived for."""


class Seeds:
    """What a phase draws from: each epoch seeds it anew, so that it can begin at any of them."""

    def __init__(self, seed: int, phase: int, rank: int) -> None:
        self.order = torch.Generator()
        self.augment = torch.Generator()
        self._seed = seed
        self._phase = phase
        self._rank = rank

    def begin(self, epoch: int) -> None:
        """Seed the order of an epoch's batches, the same in all processes."""
        self.order.manual_seed(derive(self._seed, self._phase, ORDER, epoch))

    def begin_drawing(self, epoch: int) -> None:
        """Seed augmentation and dropout of an epoch, in each process its own."""
        self.augment.manual_seed(derive(self._seed, self._phase, AUGMENT, epoch, self._rank))
        torch.manual_seed(derive(self._seed, self._phase, DROPOUT, epoch, self._rank))


@contextmanager
def fast(system: System, machine: Machine) -> Iterator[None]:
    """Within it, a system is laid out for speed, and compiled if that is wanted; on the CPU after.

    Convolutions run up to twice as fast with the channels last, on CPUs and GPUs alike.
    """
    backbones = [branch.backbone for branch in system.branches.values()]
    system.to(memory_format=torch.channels_last)
    for backbone in backbones if machine.compile else ():
        backbone.compile()
    try:
        yield
    finally:
        for backbone in backbones:
            backbone._compiled_call_impl = None
    system.to(memory_format=torch.contiguous_format)
    system.cpu().eval().requires_grad_(requires_grad=True)
