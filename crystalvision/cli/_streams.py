"""Makes stdin, stdout and stderr usable, whatever they were when the program began."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from crystalvision.console import is_size

_NAMES = ("stdin", "stdout", "stderr")


@contextmanager
def usable_streams() -> Iterator[None]:
    """Within it, every standard stream is there, and none refuses a character.

    What a stream's encoding lacks is written as its escape. A stream that was closed leads
    nowhere: were its number left free, the next file to be opened would get it, and what a library
    prints would be written there. Sizes of the terminal that are none are not told to libraries.
    """
    for size in ("COLUMNS", "LINES"):
        if size in os.environ and not is_size(os.environ[size]):
            del os.environ[size]
    for number, name in enumerate(_NAMES):
        if getattr(sys, name) is None:
            setattr(sys, name, _nowhere(number))
    before = {name: _make_bearing(getattr(sys, name)) for name in _NAMES[1:]}
    try:
        yield
    finally:
        for name, errors in before.items():
            if errors is not None:
                getattr(sys, name).reconfigure(errors=errors)


def _nowhere(number: int) -> IO[str]:
    mode = "w" if number else "r"
    try:
        os.fstat(number)
    except OSError:  # the number is free
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            os.dup2(null, number)
            os.close(null)
        os.set_inheritable(number, True)
        return open(number, mode, encoding="utf-8", closefd=False)
    return open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123 - lives on


def _make_bearing(stream: object) -> str | None:
    """Have a stream escape what it cannot encode; what it did before, if it can be told."""
    reconfigure = getattr(stream, "reconfigure", None)
    errors = getattr(stream, "errors", None)
    if reconfigure is None or errors is None:
        return None
    reconfigure(errors="backslashreplace")
    return str(errors)
