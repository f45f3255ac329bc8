"""Reads the YAML files that describe recipes and experiments, and says what is wrong with them."""

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Self, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Tag, ValidationError, model_serializer, model_validator

from crystalvision.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


class Config(BaseModel):
    """Base of every model that is read from YAML: frozen, and no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(Config):
    """A plugin chosen by name, with its options.

    In YAML either the bare name, `backbone: dnsnet`, or a mapping with the options beside the
    name, `backbone: {name: dnsnet, growth: 12}`.
    """

    name: str
    options: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _accept_short_forms(cls, value: object) -> object:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, Mapping) and "name" in value and set(value) != {"name", "options"}:
            options = {key: item for key, item in value.items() if key != "name"}
            return {"name": value["name"], "options": options}
        return value

    @model_serializer
    def _as_in_yaml(self) -> dict[str, Any]:
        return {"name": self.name, **self.options}

    @classmethod
    def of(cls, name: str, **options: object) -> Self:
        """A part by name and options."""
        return cls(name=name, options=options)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping, with the safe loader.

    Raises:
        InputError: The file is missing, is no YAML, or does not hold a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from error
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{path}{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected a mapping of keys to values, found {data!r:.60}")
    return data


def apply_overrides(data: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Set values by path, as `--set` does.

    Args:
        data: What the YAML file holds; it is not changed.
        overrides: Texts such as `branches.classifier.backbone.growth=12` or `classes.0.share=1`;
            the value is read as YAML. A path through a part that is given by its bare name makes
            it a mapping.

    Raises:
        InputError: A text without `=`, or a path through something that has no keys.
    """
    result: Any = _copy(data)
    for override in overrides:
        path, separator, text = override.partition("=")
        keys = path.strip().split(".")
        if not separator or not all(keys):
            raise InputError(f"--set {override}: expected key=value, for example samples=800")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"--set {override}: the value is not YAML") from error
        result = _set(result, keys, value, f"--set {override}")
    return dict(result)


def apply_settings(
    data: Mapping[str, Any], settings: Mapping[str, Any], source: str
) -> dict[str, Any]:
    """Set values by path, as a key `set` of a YAML file does.

    Args:
        data: What the file holds; it is not changed.
        settings: Values by path, such as `branches.classifier.backbone.growth`.
        source: Where they were read from, for the error.

    Raises:
        InputError: A path through something that has no keys.
    """
    result: Any = _copy(data)
    for path, value in settings.items():
        result = _set(result, path.split("."), value, f"{source}, set {path}")
    return dict(result)


def validate(model: type[Model], data: Mapping[str, Any], source: str) -> Model:
    """Check data against a model.

    Args:
        model: The pydantic model.
        data: What was read.
        source: Where it was read from, for the error.

    Raises:
        InputError: The first thing that is wrong, in one line: where, what was found, what was
            expected, and for an unknown key the nearest known one.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{source}: {_explain(model, error)}") from error


def first_difference(other: Any, mine: Any, at: str = "") -> str:
    """The first place where two descriptions in JSON's types differ, and their values there."""
    if isinstance(other, dict) and isinstance(mine, dict):
        for key in [*mine, *other]:
            if other.get(key) != mine.get(key):
                return first_difference(other.get(key), mine.get(key), f"{at}.{key}" if at else key)
    if isinstance(other, list) and isinstance(mine, list) and len(other) == len(mine):
        for number, (one, two) in enumerate(zip(other, mine, strict=True)):
            if one != two:
                return first_difference(one, two, f"{at}.{number}")
    if not at:
        return "everything, since its description cannot be read"
    return f"{at}, {_short(other)} there and {_short(mine)} here"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    # An unknown key explains a missing one, so it goes first.
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    location = [str(step) for step in problem["loc"]]
    where = ".".join(step for step in location if not _is_tag(step))
    if problem["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        nearest = difflib.get_close_matches(location[-1], known, n=1)
        hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
        listing = f" (keys here: {', '.join(known)})" if known else ""
        return f"unknown key '{where}'{hint}{listing}"
    if problem["type"] == "missing":
        return f"the key '{where}' is missing"
    found = problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in {"tuple_type", "list_type"}:  # whoever writes YAML knows no tuples
        message = f"expected a list, such as [{_short(found)}]"
    if isinstance(found, Mapping | list):
        return f"{where}: {message}" if where else message
    return f"{where}={found!r}: {message}"


def _known_keys(model: type[BaseModel], location: list[str]) -> list[str]:
    """The keys of the model at a location, or none where the location's type is ambiguous."""
    current: Any = model
    for step in location:
        if _is_tag(step):
            current = _tagged(current, step)
            continue
        current = _only_model(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(step)
            if field is None:
                return []
            current = field.annotation
        else:
            arguments = get_args(current)
            current = arguments[-1] if arguments else None
    current = _only_model(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []


def _only_model(annotation: Any) -> Any:
    """The one model among the choices of a union, or none; what is no union stays."""
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    models = [
        choice
        for choice in get_args(annotation)
        if isinstance(choice, type) and issubclass(choice, BaseModel)
    ]
    return models[0] if len(models) == 1 else None


def _is_tag(step: str) -> bool:
    """Whether a step of a location is no key, but `Tag("<...>")` of a union that is told apart."""
    return step.startswith("<") and step.endswith(">")


def _tagged(union: Any, tag: str) -> Any:
    """The choice of a union that has a tag."""
    for choice in get_args(union):
        model, *marks = get_args(choice) or (choice,)
        if Tag(tag) in marks:
            return model
    return None


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _set(node: Any, keys: list[str], value: object, override: str) -> Any:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(node, list):
        if not (key.isdecimal() and len(key) < 10) or int(key) >= len(node):
            raise InputError(
                f"{override}: '{key}' is no place in a list of {len(node)}; "
                f"places count from 0 to {len(node) - 1}"
            )
        node[int(key)] = _set(node[int(key)], rest, value, override)
        return node
    if isinstance(node, str):
        node = {"name": node}
    if node is None:
        node = {}
    if not isinstance(node, dict):
        raise InputError(f"{override}: cannot set '{key}' inside the value {node!r}")
    node[key] = _set(node.get(key), rest, value, override)
    return node
