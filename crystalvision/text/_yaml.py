"""YAML that people read."""

from typing import Any

import yaml


def yaml_text(value: Any, *, width: int = 88, flow: bool | None = False) -> str:
    """A value as YAML that means the same to every reader, and holds no character that hides.

    Letters of any script stay as they are, unless one that does not show is among them: then all
    but ASCII are written as escapes.

    Args:
        value: Mappings, sequences, text and numbers.
        width: Characters of a line.
        flow: Whether inner mappings and lists stand in braces; None for those without any inside.
    """
    for unicode in (True, False):
        text = yaml.safe_dump(
            value, sort_keys=False, allow_unicode=unicode, width=width, default_flow_style=flow
        )
        if text.replace("\n", "").isprintable():
            break
    return text
