"""How much memory this process may still take."""

from pathlib import Path

from crystalvision.errors import InputError

PROCESS_BYTES = 350_000_000  # Python and torch, before they compute

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


def check_processes(count: int, asked: str) -> None:
    """Refuse processes that would fill the memory before they did anything.

    Args:
        count: How many.
        asked: What the user wrote, such as `--workers 900`.

    Raises:
        InputError: They do not fit.
    """
    available = available_memory_bytes()
    if available is None or count == 1 or count * PROCESS_BYTES <= available:
        return
    raise InputError(
        f"{asked}: {count} processes take about {count * PROCESS_BYTES / 1e9:.3g} GB before they "
        f"begin, but {available / 1e9:.3g} GB are available; ask for "
        f"{max(1, available // PROCESS_BYTES)} at most"
    )


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
