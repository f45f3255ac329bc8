"""Tells whether a dataset that was begun is the one that is asked for now."""

from pathlib import Path
from typing import Any

from crystalvision.datasets._header import DatasetHeader
from crystalvision.errors import InputError

_OF_A_MACHINE = {"generator.processor", "generator.instructions"}  # a cluster has several


def check_same(path: Path, found: DatasetHeader, wanted: DatasetHeader) -> None:
    """Refuse to mix two datasets, or two versions of the software, in one.

    Raises:
        InputError: The headers differ; the first key that does, and both values.
    """
    there, here = (_flat(header.model_dump(mode="json")) for header in (found, wanted))
    for key in sorted((there.keys() | here.keys()) - _OF_A_MACHINE):
        if there.get(key, _ABSENT) != here.get(key, _ABSENT):
            raise InputError(
                f"{path}: cannot be resumed: its {key} is {there.get(key, _ABSENT)!r:.80}, "
                f"but now it would be {here.get(key, _ABSENT)!r:.80}; ask for what it was begun "
                "with, or delete it, or replace it by --overwrite"
            )


class _Absent:
    def __repr__(self) -> str:
        return "absent"


_ABSENT = _Absent()


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every leaf of nested JSON by its path, `recipe.classes.0.share`."""
    if isinstance(value, dict) and value:
        items = list(value.items())
    elif isinstance(value, list) and value:
        items = list(enumerate(value))
    else:
        return {path: value}
    flat: dict[str, Any] = {}
    for key, item in items:
        flat |= _flat(item, f"{path}.{key}" if path else str(key))
    return flat
