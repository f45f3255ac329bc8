"""How many threads compute, and how they wait for one another, where the user has not said.

OpenMP's threads meet thousands of times a second, and spin while they wait. Beside another process
that computes, the one that waits takes the core from the one that it waits for, and a training may
take ten times as long. So threads that spin briefly, and no more of them than there are idle cores
when work begins.

Libraries read these variables when they are loaded: set them before torch and scikit-learn are
imported. Light to import.
"""

import os
import time
from collections.abc import MutableMapping
from dataclasses import dataclass

from crystalvision.cores import Usage, allowed_cores, usable_cores, usage

# Measured by benchmarks/busy_machine.py.
SPINS = 10_000
"""How often a thread of GNU's OpenMP looks before it sleeps; by default 300,000 times, some ms."""

BLOCK_MS = 0
"""How long a thread of LLVM's or Intel's OpenMP spins before it sleeps [ms]; by default 200."""

WINDOW_SECONDS = 0.1
"""The shortest time over which idle cores are measured."""

_NUMBERS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT", "OMP_DYNAMIC")
_WAITS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")


@dataclass(frozen=True, slots=True)
class Threads:
    """What was chosen for the threads of this process.

    Attributes:
        cores: Cores that it may use.
        idle: How many of them nothing else used when it began.
        automatic: Whether the number of threads was chosen here, and not by the user.
    """

    cores: int
    idle: int
    automatic: bool

    @property
    def note(self) -> str:
        """What the user should know, or "" where there is nothing to say."""
        if not self.automatic or self.idle >= self.cores:
            return ""
        return (
            f"{self.cores - self.idle} of {self.cores} cores are busy with other work, so "
            f"{_threads(self.idle)} will compute here; to choose yourself, set OMP_NUM_THREADS, as "
            f"in: export OMP_NUM_THREADS={self.cores}"
        )


def set_up(since: Usage | None, environment: MutableMapping[str, str]) -> Threads:
    """Choose the number of threads and how they wait, by variables that libraries read later.

    Whatever the user has set stays as it is.

    Args:
        since: What the processors had done when this process began, or `None` where no system
            tells.
        environment: The variables of this process, which are changed.
    """
    cores, allowed = usable_cores(), allowed_cores()
    automatic = not any(environment.get(name) for name in _NUMBERS)
    # A container sees the work of its whole machine, of which it may use a part.
    idle = max(1, min(cores, allowed - _busy(since))) if automatic else cores
    if automatic and idle < allowed:  # as many as there are is what libraries take by themselves
        environment["OMP_NUM_THREADS"] = str(idle)
        environment.setdefault("LOKY_MAX_CPU_COUNT", str(idle))  # so many does joblib see
    environment.update(_waits(environment))
    return Threads(cores, idle, automatic)


def worker_environment(threads: int) -> dict[str, str]:
    """Variables for a process that computes on so many threads, beside others of ours."""
    return {"OMP_NUM_THREADS": str(threads), **_waits(os.environ)}


def _waits(environment: MutableMapping[str, str]) -> dict[str, str]:
    if any(environment.get(name) for name in _WAITS):
        return {}
    return {"GOMP_SPINCOUNT": str(SPINS), "KMP_BLOCKTIME": str(BLOCK_MS)}


def _busy(since: Usage | None) -> int:
    """Cores that others use; measured once more if some do, for it may be a burst."""
    load = _load(since)
    if round(load) > 0:
        load = min(load, _load(usage()))
    return round(load)


def _load(since: Usage | None) -> float:
    """Cores that others use, since a moment at least `WINDOW_SECONDS` ago, or from now on."""
    if since is None:  # the system does not tell; the last minute's load average may
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    now = usage()
    left = WINDOW_SECONDS - (now.seconds - since.seconds if now else 0.0)
    if left > 0:
        time.sleep(left)
        now = usage()
    return now.load_since(since) if now else 0.0


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"
