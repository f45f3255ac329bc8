"""Reads Google-style docstrings: the description, and what is said of each parameter."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass

from crystalvision.plugins._callables import documentation, unwrapped

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Attributes|Example|Examples|Note|Notes|Raises|"
                      r"Returns|Yields|References|Source|Sources|Shape|Shapes):\s*$")  # fmt: skip
_PARAMETER_SECTIONS = {"Args", "Arguments", "Parameters", "Attributes"}
_PARAMETER = re.compile(r"^(\w+)(?: \([^)]*\))?:\s*(.*)$")


def description(thing: object) -> str:
    """A docstring up to its first section, with the lines of a paragraph joined."""
    lines: list[str] = []
    for line in documentation(thing).splitlines():
        if _SECTION.match(line):
            break
        lines.append(line)
    paragraphs = "\n".join(lines).strip().split("\n\n")
    return "\n\n".join(_joined(paragraph) for paragraph in paragraphs)


def _joined(paragraph: str) -> str:
    """One line, unless the paragraph is set in a shape of its own: a list, a table, code."""
    lines = paragraph.split("\n")
    shaped = any(line[:1] in {" ", "-", "*", "|", ">"} for line in lines)
    return paragraph if shaped else " ".join(lines)


def parameter_docs(factory: object) -> dict[str, str]:
    """What a function, or a class and its `__init__`, says of each parameter, by name."""
    behind = unwrapped(factory)
    constructor = getattr(behind, "__init__", None) if inspect.isclass(behind) else None
    found: dict[str, str] = {}
    bases = getattr(behind, "__mro__", ())[:0:-1]
    # The fields of a dataclass are its options, and those that it takes over as well.
    fields = [base for base in bases if is_dataclass(base)]
    for thing in (*fields, behind, constructor, factory):
        if thing is not None:
            found |= dict(_parameters(documentation(thing).splitlines()))
    return found


def _parameters(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The name and the text of each parameter; text goes on in lines that are further in."""
    inside, name, words = False, "", [""]
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if indent == 0 and line:
            section = _SECTION.match(line)
            inside = bool(section and section[1] in _PARAMETER_SECTIONS)
        elif inside and line:
            start = _PARAMETER.match(line.strip()) if indent <= 4 else None
            if start is None:
                words.append(line.strip())
                continue
            if name:
                yield name, " ".join(words).strip()
            name, words = start[1], [start[2]]
    if name:
        yield name, " ".join(words).strip()
