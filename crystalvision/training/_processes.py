"""Processes that train one system together: what each takes of a batch, and sums over all."""

import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed
from torch.distributed import Store  # type: ignore[attr-defined] # it is

from crystalvision.errors import InputError
from crystalvision.training._machine import Machine


@dataclass(frozen=True, slots=True)
class Share:
    """The part of each batch that one of several processes takes.

    Attributes:
        rank: The process, counted from 0.
        size: How many processes there are.
    """

    rank: int = 0
    size: int = 1

    def of(self, count: int) -> slice:
        """The samples of a batch of `count` that this process takes; none may be left for it."""
        return slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def of_training(self, count: int) -> slice:
        """The same for a batch to learn from.

        Each process needs two samples for its batch statistics: of a smaller batch, each takes all,
        and the mean over the processes is the same.
        """
        return self.of(count) if count >= 2 * self.size else slice(0, count)

    def least_of_training(self, count: int) -> int:
        """How many samples the process with the fewest takes of a batch to learn from."""
        least: int = Share(0, self.size).of_training(count).stop  # later ones take the remainder
        return least

    def weight(self, count: int) -> float:
        """What the mean loss of this process's samples counts for, in the mean of the processes."""
        taken = self.of_training(count)
        number = taken.stop - taken.start
        return 1.0 if number == count else number * self.size / count


_ALONE, _CPU = Share(), torch.device("cpu")
_TIMEOUT = timedelta(minutes=30)  # the first process may draw figures while the others wait


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes that train together, as one of them sees them.

    Attributes:
        share: Which of them this is.
        device: Where its tensors are when they travel.
    """

    share: Share = _ALONE
    device: torch.device = _CPU

    @property
    def is_main_process(self) -> bool:
        """Whether this is the process that reads and writes the folder and speaks to the user."""
        return self.share.rank == 0

    def sum(self, numbers: Sequence[float]) -> list[float]:
        """Sums over the processes."""
        if self.share.size == 1:
            return list(numbers)
        total = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        distributed.all_reduce(total)
        return [float(number) for number in total]

    def copy_from_first(self, module: torch.nn.Module) -> None:
        """Give every process the first one's weights and batch statistics."""
        if self.share.size == 1:
            return
        for value in module.state_dict().values():
            travelling = value.to(self.device).contiguous()
            distributed.broadcast(travelling, 0)
            value.copy_(travelling)

    def wait(self) -> None:
        """Wait for all processes."""
        self.sum([0.0])


def launched() -> bool:
    """Whether torchrun, or we, have started this process as one of several."""
    return "RANK" in os.environ and "LOCAL_RANK" in os.environ


def is_main_process(machine: Machine) -> bool:
    """Whether this process is the first of those that train together, or alone."""
    return machine.processes == 1 or not launched() or os.environ["RANK"] == "0"


@contextmanager
def process_group(machine: Machine, store: Store | None = None) -> Iterator[ProcessGroup]:
    """Join the processes of a machine, and part from them afterwards.

    Args:
        machine: How many there are.
        store: Where they find one another; by default what torchrun started.

    Raises:
        InputError: Nobody has started the other processes, or not as many.
    """
    if machine.processes == 1:
        yield ProcessGroup(device=machine.device)
        return
    if not launched():
        raise InputError(
            f"{machine.processes} processes train together only if something starts them: use "
            "crystalvision train, train_run, or torchrun"
        )
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if size != machine.processes:
        raise InputError(
            f"torchrun started {size} processes, but --devices {machine.devices} --nodes "
            f"{machine.nodes} are {machine.processes}; make them equal"
        )
    device = torch.device("cpu")
    if machine.device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    with _unreachable() if machine.nodes == 1 else nullcontext():
        distributed.init_process_group(
            backend, store=store, rank=rank, world_size=size, timeout=_TIMEOUT
        )
        try:
            yield ProcessGroup(Share(rank, size), device)
        finally:
            distributed.destroy_process_group()


@contextmanager
def _unreachable() -> Iterator[None]:
    """Let gloo and NCCL listen where other machines cannot reach them, unless the user chose."""
    names = [name for _, name in socket.if_nameindex() if name in {"lo", "lo0"}]
    wanted = {"GLOO_SOCKET_IFNAME": names[0], "NCCL_SOCKET_IFNAME": f"={names[0]}"} if names else {}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


class Sums:
    """Sums by name; tensors, so that a GPU need not wait for each batch.

    Args:
        keys: The names, in an order that all processes share.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = tuple(keys)
        self._values: dict[str, torch.Tensor] = {}

    def add(self, **values: torch.Tensor) -> None:
        """Add to the sums."""
        for key, value in values.items():
            self._values[key] = self._values[key] + value if key in self._values else value

    def total(self, group: ProcessGroup) -> dict[str, float]:
        """All sums, over all processes; 0 where nothing was added."""
        numbers = [float(self._values[key]) if key in self._values else 0.0 for key in self._keys]
        return dict(zip(self._keys, group.sum(numbers), strict=True))
