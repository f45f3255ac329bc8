"""What runs are called on the pages."""

from collections.abc import Sequence
from pathlib import Path


def named_runs(paths: Sequence[Path]) -> dict[str, Path]:
    """What to call runs: by their folder, and by all of the path where that is not enough."""
    names = [path.resolve().name for path in paths]
    return {
        (name if names.count(name) == 1 else str(path)): path
        for name, path in zip(names, paths, strict=True)
    }
