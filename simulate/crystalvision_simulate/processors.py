"""The processors of this machine."""

import os


def cores() -> int:
    """Cores that this process may use; only Linux tells them from all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
