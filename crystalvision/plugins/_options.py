"""Checks a user's options against the signature of the factory that will take them."""

import difflib
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from crystalvision.errors import InputError
from crystalvision.plugins._callables import unwrapped

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Result = TypeVar("Result")

_REQUIRED = inspect.Parameter.empty
_PLAIN = (bool, float, int, str)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a factory.

    Attributes:
        name: Name of the parameter.
        annotation: Its type, or `Any` where the factory gives none.
        default: Its default; meaningless where `required`.
        required: Whether it must be given.
    """

    name: str
    annotation: Any
    default: Any
    required: bool

    @property
    def type_name(self) -> str:
        """The type as a user would write it."""
        return _type_name(self.annotation)

    def __str__(self) -> str:
        return self.name if self.required else f"{self.name}={self.default!r}"


def factory_options(
    factory: Callable[..., object], context: Collection[str] = ()
) -> tuple[list[Option], bool]:
    """The options of a factory, without the `context` that the toolkit supplies.

    What a `functools.partial` binds by position is no option; what it binds by name is one, with
    that default.

    Returns:
        The options, and whether the factory takes further ones (`**options`).
    """
    options, takes_any = _cached(_read_options, factory)
    return [option for option in options if option.name not in context], takes_any


@lru_cache(maxsize=1024)
def _read_options(factory: Callable[..., object]) -> tuple[tuple[Option, ...], bool]:
    """All keyword parameters of a factory, and whether it takes further ones."""
    hints = _hints(factory)
    parameters = inspect.signature(factory).parameters.values()
    options = tuple(
        Option(
            name=parameter.name,
            annotation=hints.get(parameter.name, Any),
            default=parameter.default,
            required=parameter.default is _REQUIRED,
        )
        for parameter in parameters
        if parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
    )
    return options, any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def _cached(function: Callable[[Any], Result], argument: object) -> Result:
    """What a function with a cache gives; without it, where the argument has no hash."""
    try:
        hash(argument)
    except TypeError:
        function = function.__wrapped__  # type: ignore[attr-defined] # lru_cache sets it
    return function(argument)


def check_options(
    what: str,
    factory: Callable[..., object],
    given: Mapping[str, object],
    context: Collection[str] = (),
) -> dict[str, Any]:
    """Return `given` with each value checked against, and converted to, its annotation.

    Args:
        what: What the factory makes, for the error: "backbone 'dnsnet'".
        factory: The callable whose keyword parameters are the options.
        given: The user's options.
        context: Parameters that the toolkit supplies.

    Raises:
        InputError: An unknown option, a missing one, or a value of the wrong type.
    """
    options, takes_any = factory_options(factory, context)
    known = {option.name: option for option in options}
    for name in given:
        if name not in known and not takes_any:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else "."
            raise InputError(f"{what} has no option '{name}'{hint} {_listing(options)}")
    for option in options:
        if option.required and option.name not in given:
            raise InputError(f"{what} needs the option '{option.name}'. {_listing(options)}")
    return {
        name: _convert(what, known[name], value) if name in known else value
        for name, value in given.items()
    }


def _listing(options: Iterable[Option]) -> str:
    return f"Its options: {', '.join(map(str, options)) or 'none'}"


def _convert(what: str, option: Option, value: object) -> object:
    if type(value) is option.annotation and option.annotation in _PLAIN:
        return value  # as a check would give it back, in a tenth of the time
    adapter = _cached(_adapter, option.annotation)
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value)
    except ValueError as error:
        from pydantic import ValidationError  # slow, and --help must not wait

        if not isinstance(error, ValidationError):
            raise
        problem = error.errors()[0]
        raise InputError(
            f"{what}: option {option.name}={value!r}: {problem['msg']} (type {option.type_name})"
        ) from error


@lru_cache(maxsize=1024)
def _adapter(annotation: Any) -> "TypeAdapter[object] | None":
    """What checks values of an annotation; it takes a while to make."""
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError

    try:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticSchemaGenerationError:  # a type of the plugin's own: the factory must check it
        return None
    except TypeError:  # pydantic refuses a config for its own models
        return TypeAdapter(annotation)


def _type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(arguments[0])
    if origin in {Union, UnionType}:
        return " | ".join(map(_type_name, arguments))
    if annotation is type(None) or annotation is ...:
        return "None" if annotation is not ... else "..."
    if isinstance(origin, type):
        return f"{origin.__name__}[{', '.join(map(_type_name, arguments))}]"
    return (
        annotation.__name__
        if isinstance(annotation, type)
        else str(annotation).replace("typing.", "")
    )


def _hints(factory: Callable[..., object]) -> dict[str, Any]:
    # A class's hints are those of its own __init__, a partial's those of its function.
    target: Any = unwrapped(factory)
    if inspect.isclass(target):
        target = getattr(target, "__init__")  # noqa: B009 - mypy
    try:
        # What it returns may be a name known only to type checkers, and is not asked for.
        annotations = {name: of for name, of in target.__annotations__.items() if name != "return"}
        parameters = SimpleNamespace(__annotations__=annotations)
        # With what is annotated: without it, a PositiveInt would take 0.
        return get_type_hints(parameters, getattr(target, "__globals__", None), include_extras=True)
    except (AttributeError, NameError, TypeError):  # such names elsewhere, or a builtin callable
        return {}
