"""Commands that a reader copies into a shell."""

import shlex
from pathlib import PurePath


def command_line(*parts: str | PurePath) -> str:
    """A command whose parts reach the program as they are, whatever they hold.

    A path that begins like an option gets `./` before it. Characters that do not show are written
    as escapes within `$'…'`, which bash, zsh and ksh read.
    """
    return " ".join(_word(_text(part)) for part in parts)


def _text(part: str | PurePath) -> str:
    text = str(part)
    return f"./{text}" if isinstance(part, PurePath) and text.startswith("-") else text


def _word(text: str) -> str:
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(
        letter if letter.isprintable() and letter not in "'\\" else _escaped(letter)
        for letter in text
    )
    return f"$'{escaped}'"


def _escaped(letter: str) -> str:
    """As bytes in octal, which all these shells read alike."""
    return "".join(f"\\{byte:03o}" for byte in letter.encode(errors="surrogateescape"))
