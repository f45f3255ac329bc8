"""What commands and the Python face write: results on stdout, everything else on stderr."""

import dataclasses
import json
import math
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from rich.text import Text

from crystalvision.console._text_console import TextConsole, discard, is_size
from crystalvision.text import one_line, printable

__all__ = [
    "PROGRESS_DELAY_S",
    "Advance",
    "TextConsole",
    "discard",
    "err",
    "is_size",
    "lines",
    "out",
    "print_json",
    "progress",
    "styled",
]

out = TextConsole()
"""Results, on stdout."""

err = TextConsole(stderr=True)
"""Errors, notes and progress, on stderr."""

_HIDDEN_IN_JSON = re.compile(r"[^\n\x20-\x7e]")

PROGRESS_DELAY_S = 2.0


class Advance(Protocol):
    """Moves a progress bar on."""

    def __call__(self, n: float = 1, *, note: str | None = None) -> None:
        """Move by `n`, and show `note` beside the bar from now on, if one is given."""


def styled(*parts: str | tuple[str, str]) -> Text:
    """One line to print, of pieces that may have a style each.

    Args:
        *parts: Texts, or pairs of a text and its style.
    """
    pieces = [part if isinstance(part, tuple) else (part, "") for part in parts]
    return Text.assemble(*((one_line(text), style) for text, style in pieces))


def lines(text: str) -> Text:
    """Text of several lines to print, where a str is one line."""
    return Text(printable(text))


def print_json(value: object) -> None:
    """Write a value to stdout as JSON that any program can read.

    Args:
        value: Mappings, sequences, dataclasses, numpy scalars and arrays; anything else is written
            as its text. A number that is not finite becomes `null`: JSON has no word for it.
            Characters that do not show, or that stdout cannot encode, are written as JSON escapes.
    """
    text = json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    out.write(_HIDDEN_IN_JSON.sub(_in_json, text) + "\n")


@contextmanager
def progress(description: str, total: float | None) -> Iterator[Advance]:
    """A progress bar on stderr, drawn after two seconds, and not at all without a terminal.

    Args:
        description: What is under way, for example "Simulating".
        total: Number of steps, or None where it is not known.

    Yields:
        A function `advance(n=1, *, note=None)`.
    """
    if not err.is_terminal:
        yield _advance_nothing
        return
    with _delayed_bar(description, total) as advance:
        yield advance


@contextmanager
def _delayed_bar(description: str, total: float | None) -> Iterator[Advance]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=err,
        transient=True,
    )
    task = bar.add_task(description, total=total, note="")

    def advance(n: float = 1, *, note: str | None = None) -> None:
        if note is None:
            bar.advance(task, n)
        else:
            bar.update(task, advance=n, note=note)

    timer = threading.Timer(PROGRESS_DELAY_S, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield advance
    finally:
        timer.cancel()
        timer.join()  # a start that is under way must not come after the stop
        bar.stop()


def _advance_nothing(n: float = 1, *, note: str | None = None) -> None:
    """Progress without a terminal."""


def _in_json(found: re.Match[str]) -> str:
    """A letter, or the escape of one that does not show or that stdout has not."""
    letter = found[0]
    return letter if letter.isprintable() and out.can_encode(letter) else json.dumps(letter)[1:-1]


def _plain(value: Any) -> Any:
    """The value in JSON's own types."""
    plain: Any = value
    if isinstance(value, Mapping):
        plain = {str(key): _plain(item) for key, item in value.items()}
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        plain = {field.name: _plain(getattr(value, field.name)) for field in fields}
    elif isinstance(value, list | tuple | set | frozenset):
        plain = [_plain(item) for item in value]
    elif isinstance(value, float):
        plain = float(value) if math.isfinite(value) else None
    elif hasattr(value, "tolist"):  # numpy and torch
        plain = _plain(value.tolist())
    elif not (value is None or isinstance(value, str | int)):
        plain = str(value)  # a path, a type, or whatever else stands as an option's default
    return plain
