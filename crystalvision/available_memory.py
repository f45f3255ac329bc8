"""How much memory this process may still take."""

from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory.max", "memory.current", "memory.stat"),  # version 2
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)


def available_memory_bytes() -> int | None:
    """Memory that is free, or that the system would free, within the limit of a container.

    None where it cannot be found out; only Linux tells.
    """
    known = [value for value in (_of_the_machine(), _of_the_container()) if value is not None]
    return min(known) if known else None


def _of_the_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) * 1024
    except (OSError, ValueError, StopIteration, IndexError):
        return None


def _of_the_container(root: Path = _CGROUP) -> int | None:
    for limit, usage, statistics in _LIMITS:
        try:
            most = int((root / limit).read_text(encoding="utf-8"))
            used = int((root / usage).read_text(encoding="utf-8"))
            lines = (root / statistics).read_text(encoding="utf-8").splitlines()
            # Cached files count as used, but are given up.
            cached = next((line for line in lines if line.startswith("inactive_file ")), "x 0")
            return max(0, most - used + int(cached.split()[1]))
        except (OSError, ValueError, IndexError):  # no limit, or no such file
            continue
    return None
