"""What a benchmark ran on."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from crystalvision.runs import environment, git_revision

_PACKAGES = ("torchvision", "timm", "torchmetrics", "pyarrow")


def describe(
    *, command: Sequence[str], budget: str, device: str, workers: int, scheduler: str | None
) -> dict[str, object]:
    """Software, machine and command, in words for `environment.json`.

    Args:
        command: The command line, or nothing.
        budget: Name of the budget.
        device: Where cells are trained.
        workers: Cells that are trained at a time.
        scheduler: Address of the cluster that trains them instead; what its machines are is not
            known here.
    """
    import torch

    software = {name: text for name, text in environment().items() if name != "threads"}
    return {
        "command": list(command),
        "budget": budget,
        "device": device,
        "threads of a cell": 1 if device == "cpu" else torch.get_num_threads(),
        **(_machine(workers) if scheduler is None else {"scheduler": scheduler}),
        **software,
        **{name: version(name) for name in _PACKAGES},
        "git_revision": git_revision(),
    }


def _machine(workers: int) -> dict[str, object]:
    import torch

    gpus = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return {
        "workers": workers,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": _memory(),
        "gpu": ", ".join(gpus) or None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> str | None:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # not every system tells
        return None
    return f"{total / 2**30:.0f} GiB"
