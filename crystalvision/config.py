"""Reads the YAML files that describe recipes and experiments, and says what is wrong with them."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_serializer, model_validator

from crystalvision._explain import explain, short
from crystalvision.errors import InputError
from crystalvision.small_files import read_small_text
from crystalvision.yaml_text import parse_yaml

_NO_PART = "expected the name of a part, or a mapping with `name` and its options"

Model = TypeVar("Model", bound=BaseModel)
_DIGITS = 18  # of a place in a list


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
        if not isinstance(value, Mapping | cls):
            raise ValueError(_NO_PART)  # noqa: TRY004 - pydantic tells of no other kind
        if isinstance(value, Mapping) and "name" not in value:
            _refuse_without_name(value)
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


def _refuse_without_name(value: Mapping[Any, Any]) -> None:
    """Say how a part is written, unless its `name` is only misspelt.

    Raises:
        ValueError: It is not.
    """
    keys = [str(key) for key in value]
    if not keys or difflib.get_close_matches("name", keys, n=1):
        return
    first = next((key for key in keys if key != "options"), "KEY")
    raise ValueError(
        f"it has the keys {', '.join(keys)}, but no `name`; write the part's name beside its "
        f"options, such as {{name: NAME, {first}: …}}, or, if {first} is its name, {first} alone "
        f"or {{name: {first}, …}}"
    )


class Sourced(dict[str, Any]):
    """What was read, and which of it came from elsewhere than the rest.

    Attributes:
        origins: Where values were read from, by path, such as `--set samples=8`.
    """

    def __init__(
        self, data: Mapping[str, Any], origins: Mapping[tuple[str, ...], str] | None = None
    ) -> None:
        super().__init__(data)
        self.origins: dict[tuple[str, ...], str] = dict(origins or {})

    def origin(self, place: tuple[str, ...]) -> str | None:
        """Where the value at a place was read from, if not where the rest was."""
        known = (self.origins.get(place[:length]) for length in range(len(place), 0, -1))
        return next(filter(None, known), None)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Raises:
        InputError: The file is missing, is no YAML that is read (see `parse_yaml`), or does not
            hold a mapping.
        StorageError: The disk refuses.
    """
    data = parse_yaml(read_small_text(path), str(path))
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected a mapping of keys to values, found {data!r:.60}")
    return data


def apply_overrides(data: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Set values by path, as `--set` does.

    Args:
        data: What the YAML file holds; it is not changed.
        overrides: Texts such as `branches.classifier.backbone.growth=12` or `classes.0.share=1`;
            the value is read as YAML. A path through a part that is given by its bare name makes
            it a mapping. An item of a list is told by its place or, as in `input.bin.size=4`, by
            its name.

    Raises:
        InputError: A text without `=`, a value that is no YAML, or a path through something that
            has no keys.
    """
    result, origins = _copy(data), {}
    for override in overrides:
        path, separator, text = override.partition("=")
        keys = path.strip().split(".")
        if not separator or not all(keys):
            raise InputError(f"--set {override}: expected key=value, for example samples=800")
        value = parse_yaml(text, f"--set {override:.200}", numbered=False)
        keys = _with_places(result, keys, f"--set {override}")
        result = _set(result, keys, value, f"--set {override}")
        origins[tuple(keys)] = f"--set {override}"
    return _sourced(data, result, origins)


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
    result, origins = _copy(data), {}
    for path, value in settings.items():
        where = f"{source}, set {path}"
        keys = _with_places(result, path.split("."), where)
        result = _set(result, keys, value, where)
        origins[tuple(keys)] = where
    return _sourced(data, result, origins)


def _sourced(
    data: Mapping[str, Any], result: Mapping[str, Any], origins: Mapping[tuple[str, ...], str]
) -> Sourced:
    return Sourced(result, {**getattr(data, "origins", {}), **origins})


def validate(model: type[Model], data: Mapping[str, Any], source: str) -> Model:
    """Check data against a model.

    Args:
        model: The pydantic model.
        data: What was read.
        source: Where it was read from, for the error.

    Raises:
        InputError: The first thing that is wrong, in one line: where it was written, what was
            found, what was expected, and for an unknown key the nearest known one.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        place, message = explain(model, data, error)
        origin = data.origin(place) if isinstance(data, Sourced) else None
        raise InputError(f"{origin or source}: {message}") from error


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
    return f"{at}, {short(other)} there and {short(mine)} here"


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _with_places(node: Any, keys: list[str], override: str) -> list[str]:
    """A path with the places of the items of lists that it tells by their names.

    Raises:
        InputError: A list has no such place, and no item or several of that name.
    """
    found = []
    for key in keys:
        step = key
        if isinstance(node, list):
            step = _place(node, key, override)
            node = node[int(step)]
        else:
            node = node.get(key) if isinstance(node, dict) else None
        found.append(step)
    return found


def _place(items: list[Any], key: str, override: str) -> str:
    if key.isdecimal() and len(key) <= _DIGITS and int(key) < len(items):
        return key
    names = [item.get("name") if isinstance(item, dict) else item for item in items]
    if names.count(key) == 1:
        return str(names.index(key))
    known = ", ".join(str(name) for name in names if isinstance(name, str))
    listed = f"; its items are called {known}" if known else ""
    what = "is no place in" if key not in names else "is the name of several items of"
    raise InputError(
        f"{override}: '{key}' {what} a list of {len(items)}; "
        f"places count from 0 to {len(items) - 1}{listed}"
    )


def _set(node: Any, keys: list[str], value: object, override: str) -> Any:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(node, list):
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
