"""What `crystalvision show` says and draws of a measured file."""

import re
from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.measured_files._readers import Readers

_CHOSEN = re.compile(r"(?P<path>.+)\[(?P<index>[0-9]{1,9})\]", re.DOTALL)
_MOST_SHOWN = 8


def shown_file(text: str, readers: Readers) -> tuple[Path, int | None] | None:
    """The measured file that an argument means, and which of its patterns; `None` for no file."""
    path, chosen = Path(text), None
    if not path.is_file() and (match := _CHOSEN.fullmatch(text)):
        path, chosen = Path(match["path"]), int(match["index"])
    return (path, chosen) if path.is_file() and readers.reads(path) else None


def shown_numbers(path: Path, count: int, chosen: int | None) -> range:
    """Which patterns of a file are shown: one, or the first ones.

    Raises:
        InputError: There is no such pattern.
    """
    if chosen is None:
        return range(min(count, _MOST_SHOWN))
    if chosen >= count:
        raise InputError(f"{path}[{chosen}]: expected an index from 0 to {count - 1}")
    return range(chosen, chosen + 1)
