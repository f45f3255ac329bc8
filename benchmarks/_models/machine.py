"""What the numbers were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

from _models.settings import Result, Run

_PACKAGES = ("crystalvision", "torch", "torchvision", "timm")


def describe(run: Run) -> Result:
    """Hardware, versions and how busy the machine is; nothing that names it."""
    described: Result = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": run.threads,
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
    }
    if run.device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        described["gpu"] = properties.name
        described["gpu_memory_gib"] = round(properties.total_memory / 2**30, 1)
        described["cuda"] = torch.version.cuda
        described["tf32"] = torch.backends.cuda.matmul.allow_tf32
    return described


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
