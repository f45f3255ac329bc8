"""JSON that somebody else may have written, read within limits."""

import json
import re
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel

from crystalvision.small_files import MAX_BYTES

Model = TypeVar("Model", bound=BaseModel)

MAX_DEPTH = 100
_MAX_DIGITS = 40
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


def parse_json(content: bytes | str, *, finite: bool = True) -> Any:
    """A JSON document.

    Args:
        content: Its text.
        finite: Whether numbers must be; Python writes others as `Infinity` and `NaN`.

    Raises:
        ValueError: It is no JSON, is larger than `MAX_BYTES` or deeper than `MAX_DEPTH`, or holds
            NaN, an infinite or an overlong number, or a key twice.
    """
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if len(data) > MAX_BYTES:
        raise ValueError(f"JSON of more than {MAX_BYTES / 2**20:g} MiB")
    _check_depth(data)
    return json.loads(
        data.decode("utf-8-sig"),
        parse_int=_integer,
        parse_float=_number,
        parse_constant=_refuse if finite else float,
        object_pairs_hook=_once,
    )


def validate_json(model: type[Model], content: bytes | str) -> Model:
    """A model that was written as JSON.

    Raises:
        ValueError: See `parse_json`; or pydantic's, where the model refuses it.
    """
    parse_json(content)
    return model.model_validate_json(content)


def _check_depth(data: bytes) -> None:
    """Raise before the parser, which recurses, meets with a bomb."""
    depth = 0
    for bracket in _BRACKETS.finditer(_STRING.sub(b"", data)):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"the number {text:.20}… has more than {_MAX_DIGITS} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text:.40} is beyond the largest, about 1.8e308")
    return value


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key '{twice:.60}' is given twice")
    return found
