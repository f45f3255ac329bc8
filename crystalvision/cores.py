"""The cores that this process may use, and what others use of them.

A container or a job of a batch system may use fewer than the machine has. Light to import.
"""

import math
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_CPU = re.compile(r"cpu(\d+) +(\d+(?: \d+)*)")
_IDLE = (3, 4)  # the columns idle and iowait of /proc/stat
_COLUMNS = 8  # those after them, of guests, are counted in the first
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processors that this process may use had done at a moment.

    Attributes:
        seconds: When it was, by a clock of no meaning.
        busy: Time in which they computed, summed over them [s].
        own: Time in which they computed for this process [s].
    """

    seconds: float
    busy: float
    own: float

    def load_since(self, earlier: "Usage") -> float:
        """How many cores others used, on average, since an earlier moment."""
        passed = self.seconds - earlier.seconds
        others = (self.busy - earlier.busy) - (self.own - earlier.own)
        return max(0.0, others / passed) if passed > 0 else 0.0


def usage() -> Usage | None:
    """What the processors have done so far, or `None` where only the system knows."""
    try:
        text = Path("/proc/stat").read_text(encoding="ascii")
        tick = 1 / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):  # not Linux
        return None
    allowed = _allowed()
    busy = 0
    for number, columns in _CPU.findall(text):
        if int(number) in allowed:
            ticks = [int(column) for column in columns.split()[:_COLUMNS]]
            busy += sum(ticks) - sum(ticks[place] for place in _IDLE)
    return Usage(time.perf_counter(), busy * tick, time.process_time())


def usable_processors() -> int:
    """Processors that this process may use, as its affinity and its control group allow."""
    return max(1, min(len(_allowed()), _granted()))


def usable_cores() -> int:
    """Cores that this process may use; two processors of one core share its arithmetic."""
    return max(1, min(allowed_cores(), _granted()))


def allowed_cores() -> int:
    """Cores that its affinity allows, of which its control group may grant less time."""
    return len({_siblings(number) for number in _allowed()})


def _allowed() -> set[int]:
    if hasattr(os, "sched_getaffinity"):  # only Linux tells them from all there are
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _siblings(number: int) -> str:
    """What names the core of a processor; its own number where the system does not tell."""
    place = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
    try:
        return place.read_text(encoding="ascii").strip()
    except OSError:
        return str(number)


def _granted() -> int:
    """Processors' time that the control groups of this process grant it, in whole processors."""
    try:
        lines = _OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return sys.maxsize
    grants = [math.inf]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        second = not controllers
        if second or "cpu" in controllers.split(","):
            root = _GROUPS if second else _GROUPS / "cpu"
            group = root / path.lstrip("/")
            folders = [each for each in (group, *group.parents) if each.is_relative_to(root)]
            grants += [_grant(folder, second=second) for folder in folders]
    least = min(grants)
    return sys.maxsize if math.isinf(least) else math.ceil(least)


def _grant(folder: Path, *, second: bool) -> float:
    """What one control group grants; those of the second version have it in one file."""
    try:
        if second:
            texts = (folder / "cpu.max").read_text(encoding="ascii").split()
        else:
            names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            texts = [(folder / name).read_text(encoding="ascii") for name in names]
        quota, period = (int(text) for text in texts)
    except (OSError, ValueError):  # none, or "max"
        return math.inf
    return quota / period if quota > 0 and period > 0 else math.inf
