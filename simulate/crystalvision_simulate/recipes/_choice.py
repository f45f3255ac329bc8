"""Values that may be a choice of several, from which each sample draws one."""

from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, SerializerFunctionWrapHandler, WrapSerializer

Value = TypeVar("Value")


def _as_choices(value: object) -> object:
    if isinstance(value, dict) and set(value) == {"choice"}:
        if not value["choice"]:
            raise ValueError("choice is empty; expected at least one value to choose from")
        return value["choice"]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        raise ValueError("a list of several; to choose from them, write {choice: [one, another]}")
    return [value]


def _as_in_yaml(choices: object, serialize: SerializerFunctionWrapHandler) -> Any:
    values = list(serialize(choices))
    return values[0] if len(values) == 1 else {"choice": values}


Choices = Annotated[
    tuple[Value, ...],
    BeforeValidator(_as_choices),
    WrapSerializer(_as_in_yaml),
]
"""One value, or in YAML `{choice: [one, another]}`; always a tuple in Python."""
