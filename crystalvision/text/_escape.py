"""Characters that a terminal or a page would act upon, instead of showing them."""

import re
import unicodedata

_SPACES = "Zs"  # a narrow or unbreakable space is no letter, but shows as what it is
_KEPT = "\n\t"
_WORD = 300
"""Letters of one word in a message: a file's name, which has 255 at most, stays whole."""
_MESSAGE = 1500
_LONG = re.compile(rf"\S{{{_WORD + 1},}}")


def printable(text: str) -> str:
    r"""Text with every character that does not show replaced by its escape, as in `\x1b`.

    Control characters, zero-width and bidirectional ones, surrogates (of file names that are not
    UTF-8) and what Unicode has not assigned become escapes as Python writes them. Ends of lines
    and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(letter if _shows(letter) else _escaped(letter) for letter in text)


def one_line(text: str) -> str:
    r"""Text as `printable` gives it, and ends of lines and tabs as `\n` and `\t`."""
    if text.isprintable():
        return text
    return "".join(
        letter if _shows(letter) and letter not in _KEPT else _escaped(letter) for letter in text
    )


def shortened(text: str, length: int) -> str:
    """Text whose middle is left out where it is longer than `length` characters."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def quoted(value: object, length: int = 80) -> str:
    """A value as an error quotes it: its `repr`, on one line, cut in its middle."""
    return shortened(one_line(repr(value)), length)


def message(text: str) -> str:
    """The text of an error: one line that shows, without its margins, of bearable length.

    Ends of lines within it are those of a value, so that they are escaped, too.
    """
    line = one_line(text.strip())
    return shortened(_LONG.sub(lambda found: shortened(found[0], _WORD), line), _MESSAGE)


def _shows(letter: str) -> bool:
    return letter.isprintable() or letter in _KEPT or unicodedata.category(letter) == _SPACES


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
