"""Fills the templates of pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crystalvision.text import printable

TEMPLATES = Path(__file__).parent / "templates"
"""Style and macros that every page of ours may include."""


def fill(name: str, folders: Sequence[Path], **values: Any) -> str:
    """A page from its template; whatever it is filled with is escaped.

    Args:
        name: Name of the template.
        folders: Where it is, and what it includes; the first that has a name counts.
        **values: What the template asks for; each name that it uses must be here.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["number"] = number
    return str(environment.get_template(name).render(**values))


def _shown(value: Any) -> Any:
    """A value that fills a template, with characters that do not show as escapes."""
    # What has a form for HTML was filled in and escaped before.
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def number(value: float | None, places: int = 3) -> str:
    """A number with thousands set apart, or a dash where there is none."""
    return "–" if value is None else f"{value:,.{places}f}".replace("-", "−")
