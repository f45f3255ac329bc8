"""A list of parts, and the short forms in which it may be written."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, TypeAdapter

from crystalvision.config import Part


def _accept_short_forms(value: object) -> object:
    if value is None or value == "none":
        return ()
    return (value,) if isinstance(value, str | Mapping | Part) else value


Parts = Annotated[tuple[Part, ...], BeforeValidator(_accept_short_forms)]
"""Parts in their order; in YAML a list, a single one without a list, or `none`."""


def as_parts(value: object) -> tuple[Part, ...]:
    """Parts, from any form in which they may be written."""
    return _PARTS.validate_python(value)


_PARTS: TypeAdapter[tuple[Part, ...]] = TypeAdapter(Parts)
