"""Paths that can be opened without waiting."""

import stat
from collections.abc import Iterable
from pathlib import Path

from crystalvision.errors import InputError


def check_plain(paths: Iterable[Path]) -> None:
    """Check that paths are files and folders, or nothing: who opens a pipe may wait for ever.

    Raises:
        InputError: One is something else.
    """
    for path in paths:
        try:
            mode = path.stat().st_mode
        except OSError:  # a link to nowhere, or just removed: opening it fails at once
            continue
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise InputError(f"{path} is no file but a pipe, socket or device; remove it")
