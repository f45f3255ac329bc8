"""Writes the card of a dataset beside other work, which never fails for it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from crystalvision.console import err
from crystalvision.text import message


def write_card_or_say(path: Path) -> None:
    """Write the card of a dataset that was just finished; say in a line why, if that fails."""
    from crystalvision.cards import write_card

    _try(path, write_card)


def refresh_card_or_say(path: Path, *, figure: bool = True) -> None:
    """Write the card of a dataset that changed again, if it has one; say in a line why not."""
    from crystalvision.cards import refresh_card

    _try(path, partial(refresh_card, figure=figure))


def _try(path: Path, write: Callable[[Path], object]) -> None:
    try:
        write(path)
    except Exception as error:  # whatever it is, hours of work that went well must not end in it
        reason = message(" ".join(str(error).splitlines())) or type(error).__name__
        text = f"warning: the dataset is whole, but its card could not be written: {reason}"
        err.print(text, style="yellow", soft_wrap=True)
