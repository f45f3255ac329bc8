"""Where a training runs: what changes its speed, and not, but for rounding, its result."""

from dataclasses import dataclass

import torch

from crystalvision.available_memory import check_processes
from crystalvision.errors import InputError
from crystalvision.training._device import choose_device

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
