"""JSON in files."""

import json
import re
from typing import Any

# What does not show, and what would end a <script> that holds the document.
_ESCAPED = re.compile(r"[^\n\x20-\x7e]|<")


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON in letters of any script; those that do not show are JSON escapes, and `<`.

    Args:
        value: In JSON's own types.
        indent: Spaces of a level; None for one line.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return _ESCAPED.sub(_letter, text)


def _letter(found: re.Match[str]) -> str:
    letter = found[0]
    if letter == "<":
        return "\\u003c"
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]
