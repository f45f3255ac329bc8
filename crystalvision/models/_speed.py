"""What training with a backbone takes on this machine: memory and time, measured."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import torch

from crystalvision.contracts import Backbone, dimensions_of
from crystalvision.models._memory import peak_memory

LEAST_REPEATS = 3
SECONDS = 1.0
"""How long training and inference are timed, each, once they are warm; or `LEAST_REPEATS`."""


@dataclass(frozen=True, slots=True)
class BackboneSpeed:
    """What was measured of a backbone.

    Attributes:
        device: Where: `cpu` or `cuda`.
        device_name: The GPU's name, or "CPU".
        threads: Threads that torch could use, on a CPU.
        batch: Images in a batch.
        peak_training_mib: The most memory of one step of training [MiB]: weights, gradients, the
            momentum and all tensors that the step holds. See `peak_memory`.
        training_images_per_s: Forward, backward, and SGD with momentum.
        inference_images_per_s: Forward alone, without gradients.
    """

    device: str
    device_name: str
    threads: int
    batch: int
    peak_training_mib: float
    training_images_per_s: float
    inference_images_per_s: float


class TrainingStep:
    """One step of training on random images: forward, backward, and SGD with momentum.

    The learning rate is 0, so that what is timed does not depend on what is learnt.

    Args:
        backbone: Put into training mode; its device and type are used.
        images: A batch (b, c, *grid).
    """

    def __init__(self, backbone: Backbone, images: torch.Tensor) -> None:
        self.backbone = backbone.train()
        self.images = images
        self.optimiser = torch.optim.SGD(backbone.parameters(), lr=0.0, momentum=0.9)

    def __call__(self) -> None:
        """Run it."""
        self.optimiser.zero_grad()
        pooled: torch.Tensor = self.backbone(self.images).flatten(2).mean(dim=2)
        pooled.square().mean().backward()  # type: ignore[no-untyped-call]  # torch types it not
        self.optimiser.step()

    def held(self) -> Iterator[torch.Tensor]:
        """Tensors that are there between two steps."""
        states = self.optimiser.state.values()
        yield from chain(self.backbone.parameters(), self.backbone.buffers(), [self.images])
        for value in chain.from_iterable(state.values() for state in states):
            if isinstance(value, torch.Tensor):
                yield value


def measure_speed(
    backbone: Backbone,
    *,
    in_channels: int,
    size: int,
    batch: int = 1,
    device: torch.device,
    seconds: float = SECONDS,
) -> BackboneSpeed:
    """Measure training and inference on random images, all of whose sides are alike.

    Takes two steps of training to warm up and for the memory, and then about twice `seconds`.

    Args:
        backbone: Moved to the device; its running statistics change.
        in_channels: Channels of the images.
        size: Side of the images [pixels].
        batch: Images in a batch.
        device: Where.
        seconds: How long training and inference are each timed [s]; at least three times.

    Raises:
        InputError: The backbone cannot train on such a batch.
    """
    backbone.to(device)
    sides = [size] * min(dimensions_of(backbone))
    images = torch.randn(batch, in_channels, *sides, generator=torch.Generator().manual_seed(0)).to(
        device
    )
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        step = TrainingStep(backbone, images)
        step()  # the momentum comes to be
        step.optimiser.zero_grad()
        with peak_memory(device, step.held()) as peak:
            step()
        training = _seconds(step, device, seconds)
        step.optimiser.zero_grad()
        backbone.eval()
        with torch.inference_mode():
            backbone(images)
            inference = _seconds(lambda: backbone(images), device, seconds)
    gpu = device.type == "cuda"
    return BackboneSpeed(
        device=device.type,
        device_name=torch.cuda.get_device_name(device) if gpu else "CPU",
        threads=torch.get_num_threads(),
        batch=batch,
        peak_training_mib=peak.bytes / 2**20,
        training_images_per_s=batch / training,
        inference_images_per_s=batch / inference,
    )


def _seconds(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Median time of some work [s]."""
    times: list[float] = []
    while sum(times) < seconds or len(times) < LEAST_REPEATS:
        with _finished(device):
            begin = time.perf_counter()
            work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


@contextmanager
def _finished(device: torch.device) -> Iterator[None]:
    """Waits for a GPU to finish what it was given, before and after."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    yield
    if device.type == "cuda":
        torch.cuda.synchronize(device)
