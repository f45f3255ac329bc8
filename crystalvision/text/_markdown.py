"""Text in Markdown, as CommonMark and GitHub read it."""

import re

from crystalvision.text._escape import printable

# What may be markup anywhere in a line. "_" between letters, "&" before no entity, and brackets
# that no address follows are not.
_MARKUP = re.compile(
    r"[`*|#~$]|\](?=[(\[:]|$)"
    r"|(?<![^\W_])_|_(?![^\W_])"
    r"|\\(?=[!-/:-@\[-`{-~]|$)"
    r"|&(?=#?\w+;)"
)
_BLOCK = re.compile(r"^([-+=]|\d{1,9}(?=[.)]))")


def inline(text: str) -> str:
    """Text within a line or a cell of a table, none of which is taken for Markdown or HTML."""
    joined = " ".join(printable(text).split())
    escaped = _MARKUP.sub(lambda found: f"\\{found[0]}", joined)
    return escaped.replace("<", "&lt;").replace(">", "&gt;")


def paragraphs(text: str) -> str:
    """Text of several lines, as paragraphs where empty lines part them; none of it is markup."""
    lines = (_BLOCK.sub(_not_a_block, inline(line)) for line in printable(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def code(text: str) -> str:
    """Text within a line or a cell as code."""
    joined = " ".join(printable(text).split())
    fence = _longer_than_any(joined, "`")
    space = " " if joined.startswith("`") or joined.endswith("`") or not joined else ""
    escaped = joined.replace("|", "\\|")  # tables read this even within code
    return f"{fence}{space}{escaped}{space}{fence}"


def fenced(text: str, language: str = "") -> str:
    """Lines as a block of code."""
    fence = _longer_than_any(text, "```")
    return f"{fence}{language}\n{printable(text).rstrip()}\n{fence}"


def _not_a_block(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def _longer_than_any(text: str, fence: str) -> str:
    while fence in text:
        fence += "`"
    return fence
