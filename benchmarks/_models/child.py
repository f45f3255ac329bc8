"""A network in a process of its own, so that its peak memory is its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from _models.settings import Result

_TIMED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """What a child trains.

    Attributes:
        backbone: Its name.
        device: Where.
        threads: Threads that it may use.
        size: Side of the images [pixels].
        batch: Images in a batch; fewer if a step would take longer than `step_seconds`.
        step_seconds: See there [s].
        variant: `float32`, `channels_last`, `bf16`, or `compiled` (both, compiled).
    """

    backbone: str
    device: str
    threads: int
    size: int
    batch: int
    step_seconds: float
    variant: str = "float32"


class Child:
    """A child that is alive: call its work by name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.facts: Result = self._received()

    def rate(self) -> float:
        """Images a second of about a second of training."""
        return float(self.ask("rate"))

    def ask(self, work: str, **arguments: Any) -> Any:
        """Have some work done, and what came of it."""
        self._connection.send((work, arguments))
        return self._received()

    def _received(self) -> Any:
        try:
            kind, value = self._connection.recv()
        except EOFError:
            raise RuntimeError("its process ended: most likely for want of memory") from None
        if kind == "error":
            raise RuntimeError(value)
        return value


@contextmanager
def started(job: Job) -> Iterator[Child]:
    """Start a child, and end it afterwards.

    Raises:
        RuntimeError: The network cannot be made or trained there; the text says why.
    """
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, job), daemon=True)
    process.start()
    there.close()
    try:
        yield Child(here)
    finally:
        here.close()
        process.join(10)
        if process.is_alive():
            process.terminate()


def _serve(connection: Connection, job: Job) -> None:
    try:
        trained = _Trained(job)
        connection.send(("done", trained.facts))
        while True:
            work, arguments = connection.recv()
            connection.send(("done", getattr(trained, work)(**arguments)))
    except EOFError:
        return
    except Exception as error:  # the parent says of any which network it was
        connection.send(("error", f"{type(error).__name__}: {error}".partition("\n")[0]))


class _Trained:
    """A network that trains on random images."""

    def __init__(self, job: Job) -> None:
        import torch

        from _models.cost import training_bytes, training_flops
        from crystalvision.models import TrainingStep, count_parameters, peak_memory
        from crystalvision.plugins import Catalogue

        self._torch, self._job = torch, job
        torch.set_num_threads(job.threads)
        torch.manual_seed(0)
        device = torch.device(job.device)
        backbone = Catalogue.load().create("backbone", job.backbone, {}, in_channels=1)
        self.facts: Result = {
            "parameters": count_parameters(backbone),
            "training_flops": training_flops(backbone, job.size),
            "training_bytes": training_bytes(backbone, job.size),
        }
        backbone = backbone.to(device)
        if job.variant in {"channels_last", "compiled"}:
            backbone = backbone.to(memory_format=torch.channels_last)
        before = _process_mib("VmRSS")
        self._step = TrainingStep(backbone, self._images(2))
        if job.variant == "compiled":
            backbone.compile()
        self._run()
        batch = max(1, int(min(job.batch, 2 * job.step_seconds / self._seconds(1))))
        self._step.images = self._images(batch)
        self._run()
        self._repeats = max(1, round(_TIMED_SECONDS / self._seconds(1)))
        self._step.optimiser.zero_grad()
        with peak_memory(device, self._step.held()) as peak:
            self._run()
        self.facts |= {
            "batch": batch,
            "peak_tensor_mib": peak.bytes / 2**20,
            "process_growth_mib": _process_mib("VmHWM") - before,
        }

    def rate(self) -> float:
        """Images a second."""
        return len(self._step.images) * self._repeats / self._seconds(self._repeats)

    def seconds(self, steps: int) -> float:
        """Time of so many steps [s]."""
        return self._seconds(steps)

    def shares(self) -> Result:
        """See `_models.profile`."""
        from _models.profile import shares

        return shares(self._run, self._job.device)

    def _images(self, batch: int) -> Any:
        torch, job = self._torch, self._job
        draw = torch.Generator().manual_seed(0)
        images = torch.randn(batch, 1, job.size, job.size, generator=draw).to(job.device)
        if job.variant in {"channels_last", "compiled"}:
            images = images.to(memory_format=torch.channels_last)
        return images

    def _run(self) -> None:
        torch, job = self._torch, self._job
        half = job.variant in {"bf16", "compiled"}
        with torch.autocast(job.device, torch.bfloat16, enabled=half):
            self._step()

    def _seconds(self, steps: int) -> float:
        self._wait()
        begin = time.perf_counter()
        for _ in range(steps):
            self._run()
        self._wait()
        return time.perf_counter() - begin

    def _wait(self) -> None:
        if self._job.device == "cuda":
            self._torch.cuda.synchronize()


def _process_mib(field: str) -> float:
    """Memory of this process [MiB], at most (`VmHWM`) or now (`VmRSS`); NaN if not told."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))
