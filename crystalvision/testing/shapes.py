"""Checks the shapes that annotations tell, while tests run.

jaxtyping's own hook has a type checker look at every annotation of a package; here it is the arrays
alone, since mypy has checked all else, and many names of annotations are imported for it only.
"""

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import FunctionType, ModuleType
from typing import Any, get_args


def check_shapes(packages: Sequence[str]) -> None:
    """Have all that is imported of some packages from now on check the shapes that it is given.

    A function, method or dataclass whose annotations have an array of jaxtyping then raises
    `jaxtyping.TypeCheckError` where it gets, or gives, another; within one call, an axis of one
    name has one length. What torch traces or compiles is not checked.

    Args:
        packages: Their names, such as `crystalvision.models`.
    """
    sys.meta_path.insert(0, _Finder(tuple(f"{package}." for package in packages)))


class _Finder(MetaPathFinder):
    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not f"{fullname}.".startswith(self._packages):
            return None
        # Not by other finders: pytest's takes all of a distribution that has a plugin for it.
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", None) != module.__name__:
                continue
            if isinstance(value, FunctionType):
                setattr(module, name, _checked(value))
            elif isinstance(value, type):
                _check_class(value)


def _check_class(each: type) -> None:
    for name, value in list(vars(each).items()):
        if isinstance(value, FunctionType):  # a dataclass's `__init__` has its fields
            changed: object = _checked(value)
        elif isinstance(value, classmethod | staticmethod):
            changed = type(value)(_checked(value.__func__))
        elif isinstance(value, property) and isinstance(value.fget, FunctionType):
            changed = property(_checked(value.fget), value.fset, value.fdel)
        else:
            continue
        setattr(each, name, changed)


def _checked(function: Any) -> Any:
    """The function, with its arrays checked if it has any."""
    if not isinstance(function, FunctionType) or not _has_arrays(function):
        return function
    checking = _checking(function)

    @wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        torch = sys.modules.get("torch")
        if torch is not None and torch.compiler.is_compiling():
            return function(*arguments, **keywords)
        return checking(*arguments, **keywords)

    return call


def _has_arrays(function: FunctionType) -> bool:
    return any(_of_arrays(each) for each in function.__annotations__.values())


def _checking(function: FunctionType) -> Callable[..., Any]:
    from beartype import beartype
    from jaxtyping import jaxtyped

    slim = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    slim.__kwdefaults__ = function.__kwdefaults__
    slim.__qualname__, slim.__module__ = function.__qualname__, function.__module__
    slim.__annotations__ = {
        name: each for name, each in function.__annotations__.items() if _of_arrays(each)
    }
    checking: Callable[..., Any] = jaxtyped(typechecker=beartype)(slim)
    return checking


def _of_arrays(annotation: object) -> bool:
    """Whether an annotation is an array's, or several arrays'."""
    from jaxtyping import AbstractArray

    if isinstance(annotation, type) and issubclass(annotation, AbstractArray):
        return True
    parts = [part for part in get_args(annotation) if part is not type(None) and part is not ...]
    return bool(parts) and all(map(_of_arrays, parts))
