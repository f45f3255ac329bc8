"""What the numbers were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from _simulation.settings import Result, Run

_PACKAGES = (
    "crystalvision",
    "torch",
    "numpy",
    "scipy",
    "abtem",
    "pyfftw",
    "numba",
    "diffsims",
    "pymatgen",
)


def describe(run: Run) -> Result:
    """Hardware, versions and how busy the machine is; nothing that names it."""
    described: Result = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": run.threads,
        "memory_gib": round(_memory_bytes() / 2**30, 1),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
    }
    if run.device.type == "cuda":
        properties = torch.cuda.get_device_properties(run.device)
        described["gpu"] = properties.name
        described["gpu_memory_gib"] = round(properties.total_memory / 2**30, 1)
        described["cuda"] = torch.version.cuda
    return described


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
