"""Says what is wrong with a description, where its author wrote it, and what would be right."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from crystalvision.errors import InputError
from crystalvision.yaml_text import parse_yaml

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Steps = tuple[str, ...]
_MISSING = object()


def explain(model: type[BaseModel], data: Any, error: ValidationError) -> tuple[Steps, str]:
    """The first thing that is wrong: where it was written, and a line of text.

    Args:
        model: What the data were checked against.
        data: What was read.
        error: What the check found.
    """
    # An unknown key explains a missing one, so it goes first.
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    problem, steps = _deepest(data, problems)
    kind = problem["type"]
    where = ".".join(steps)
    if kind == "extra_forbidden":
        return steps, f"unknown key '{where}'{_right_key(model, problem['loc'], steps)}"
    if kind == "missing":
        return steps, _missing(data, steps)
    found = problem["input"]
    message = problem["msg"].removeprefix("Value error, ").replace("Tuple should", "List should")
    if kind in {"tuple_type", "list_type"}:  # whoever writes YAML knows no tuples
        message = f"expected a list{_as_list(model, data, steps)}"
    if isinstance(found, Mapping | list | tuple):
        return steps, f"{where}: {message}" if where else message
    return steps, f"{where}={found!r}: {message}"


def _deepest(data: Any, problems: "list[ErrorDetails]") -> tuple["ErrorDetails", Steps]:
    """The first problem; of those that are only the ways to read one value, the farthest in."""
    chosen, steps = problems[0], written(data, problems[0])
    if chosen["type"] == "extra_forbidden":
        return chosen, steps
    for problem in problems[1:]:
        place = written(data, problem)
        if len(place) > len(steps) and place[: len(steps)] == steps and steps:
            chosen, steps = problem, place
    return chosen, steps


def written(data: Any, problem: "ErrorDetails") -> Steps:
    """The place of an error as its author wrote it.

    A model may make a list of a single value, a mapping of a name, or try several types one after
    the other; steps of the location that only these have made are left out. Of the ways to go
    through the data, that one is taken which ends at what the error is about.

    Args:
        data: What was read.
        problem: The error, with its location in the data as the model sees them.
    """
    location, last = list(problem["loc"]), ""
    if problem["type"] in {"missing", "extra_forbidden"}:  # the last step is a key
        location, last = location[:-1], str(location[-1])
    ways = list(_ways(data, location))
    if problem["type"] == "extra_forbidden":
        fitting = [way for way in ways if isinstance(way[1], Mapping) and last in _keys(way[1])]
    else:
        within = [(*steps, str(key)) for steps, node in ways for key in _only_key(node)]
        ends = [*ways, *((steps, _at(data, steps)) for steps in within)]
        fitting = [way for way in ends if _alike(way[1], problem["input"])]
    steps, _ = max(fitting or ways, key=lambda way: len(way[0]))
    return (*steps, last) if last else steps


def _ways(node: Any, location: Sequence[str | int]) -> Iterator[tuple[Steps, Any]]:
    """Every way through data along a location, some of whose steps may not be there."""
    if not location:
        yield (), node
        return
    step, rest = location[0], location[1:]
    inner = _MISSING
    if isinstance(node, Mapping):
        inner = node.get(step, _MISSING)
        if isinstance(step, int):
            yield from _inserted(node, location)
    elif isinstance(node, list | tuple) and isinstance(step, int) and step < len(node):
        inner = node[step]
    if inner is not _MISSING:
        yield from (((str(step), *steps), end) for steps, end in _ways(inner, rest))
    yield from _ways(node, rest)


def _inserted(
    node: Mapping[Any, Any], location: Sequence[str | int]
) -> Iterator[tuple[Steps, Any]]:
    """Ways through a mapping that is a list in the model.

    That is `{choice: [one, another]}`, or `{name: quick, classifier: {epochs: 3}}`, whose mappings
    stand for items of a list by name.
    """
    for key, child in node.items():
        if isinstance(child, list) and len(node) == 1:
            further = _ways(child, location)
        elif isinstance(child, Mapping):
            further = _ways(child, location[1:])
        else:
            continue
        yield from (((str(key), *steps), end) for steps, end in further)


def _only_key(node: Any) -> list[Any]:
    """The one key of a mapping."""
    return list(node) if isinstance(node, Mapping) and len(node) == 1 else []


def _alike(node: Any, found: Any) -> bool:
    if isinstance(node, list | tuple) and isinstance(found, list | tuple):
        return list(node) == list(found)
    return type(node) is type(found) and bool(node == found)


def _keys(node: Mapping[Any, Any]) -> set[str]:
    return {str(key) for key in node}


def _missing(data: Any, steps: Steps) -> str:
    *before, key = steps
    node = _at(data, tuple(before))
    if isinstance(node, list | tuple) and key.isdigit():
        return f"{'.'.join(before)}: expected a longer list than {short(list(node))}"
    return f"the key '{'.'.join(steps)}' is missing"


def _right_key(model: type[BaseModel], location: Sequence[str | int], steps: Steps) -> str:
    """What may have been meant by an unknown key, and which keys there are."""
    known = known_keys(model, location[:-1])
    if not known:
        return ""
    nearest = difflib.get_close_matches(steps[-1], known, n=1)
    hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
    return f"{hint} (keys here: {', '.join(known)})"


def _as_list(model: type[BaseModel], data: Any, steps: Steps) -> str:
    """A list that would be accepted in place of a value, if one is known."""
    found = _at(data, steps)
    for candidate in _lists_of(found):
        text = json.dumps(candidate, ensure_ascii=False)
        if len(text) <= 60 and _is_accepted(model, data, steps, candidate):
            return f", such as {text}"
    return ""


def _lists_of(found: Any) -> Iterator[list[Any]]:
    """Lists that a value may stand for: `0,0,1` for three numbers, else for one of itself."""
    if isinstance(found, str):
        try:
            parts = parse_yaml(f"[{found.strip().strip('()')}]", "a list")
        except InputError:
            parts = None
        if isinstance(parts, list):
            yield parts
            yield [parts]
        yield [part for part in found.replace(",", " ").split() if part]
    if isinstance(found, Mapping):
        yield list(found.values())
    yield [found]


def _is_accepted(model: type[BaseModel], data: Any, steps: Steps, value: Any) -> bool:
    """Whether nothing would be wrong any more at a place with another value there."""
    changed = _with(data, steps, value)
    try:
        model.model_validate(changed)
    except ValidationError as error:
        places = (written(changed, problem) for problem in error.errors())
        return not any(place[: len(steps)] == steps for place in places)
    except Exception:  # what a check of ours says of other places
        return False
    return True


def known_keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys of the model at a location, or none where the location's type is ambiguous."""
    current: Any = model
    for step in location:
        if isinstance(step, str) and _is_tag(step):
            current = _tagged(current, step)
            continue
        current = _only(current, is_list=isinstance(step, int))
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(step))
            current = None if field is None else field.annotation
        else:
            current = _item(current, step)
    current = _only(current, is_list=False)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []


def _item(annotation: Any, step: str | int) -> Any:
    """The type of an item of a list, a tuple or a mapping."""
    arguments = get_args(annotation)
    if get_origin(annotation) is tuple and isinstance(step, int):
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return arguments[0]
        return arguments[step] if step < len(arguments) else None
    return arguments[-1] if arguments else None


def _only(annotation: Any, *, is_list: bool) -> Any:
    """The one choice of a union that has items, or keys; what is no union stays."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    choices = [_only(choice, is_list=is_list) for choice in get_args(annotation)]
    fitting = [
        choice
        for choice in choices
        if (get_origin(choice) in {list, tuple} if is_list else _has_keys(choice))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _has_keys(annotation: Any) -> bool:
    if get_origin(annotation) is dict:
        return True
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


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


def short(value: Any) -> str:
    """A value as JSON, at most 60 characters of it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _at(data: Any, steps: Steps) -> Any:
    for step in steps:
        data = data[int(step)] if isinstance(data, list | tuple) else data[_key(data, step)]
    return data


def _with(data: Any, steps: Steps, value: Any) -> Any:
    """The data with another value at a place."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(data, list | tuple):
        copy: Any = list(data)
        copy[int(first)] = _with(copy[int(first)], rest, value)
        return copy
    key = _key(data, first)
    return {**data, key: _with(data[key], rest, value)}


def _key(data: Mapping[Any, Any], step: str) -> Any:
    """The key that a step names; YAML has keys that are no text."""
    return next(key for key in data if str(key) == step)
