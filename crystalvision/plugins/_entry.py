"""One thing that a plugin offers: importing it, checking options, making it."""

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crystalvision.errors import CrystalVisionError, InputError, PluginError
from crystalvision.plugins._callables import documentation
from crystalvision.plugins._kinds import Kind
from crystalvision.plugins._manager import PluginInfo
from crystalvision.plugins._options import Option, check_options, factory_options


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a plugin offers.

    Attributes:
        kind: What kind it is.
        name: Its name, unique within its kind and distribution.
        plugin: Where it comes from.
        target: What the hook gave: the thing itself, a path, or text `"module:attribute"`.
    """

    kind: Kind
    name: str
    plugin: PluginInfo
    target: object

    def __str__(self) -> str:
        return f"{self.kind.name} '{self.name}'"

    @property
    def qualified_name(self) -> str:
        """The name that no other distribution can have: `distribution:name`."""
        return f"{self.plugin.distribution}:{self.name}"

    def load(self) -> Any:
        """The factory or command itself, imported if it was given as text, or the path.

        Raises:
            PluginError: The import fails, or gives something that cannot be called.
        """
        target = _resolve(self) if isinstance(self.target, str) else self.target
        if not callable(target) and not isinstance(target, Path):
            raise PluginError(
                f"{self} of {self.plugin} is of type {type(target).__name__}; "
                "expected a callable, or text 'module:attribute' that names one"
            )
        return target

    def options(self) -> list[Option]:
        """The options of a factory, with their types and defaults.

        Raises:
            PluginError: It cannot be imported, or does not tell its parameters.
        """
        factory = self.load()
        try:
            return factory_options(factory, self.kind.supplied)[0]
        except (TypeError, ValueError) as error:
            raise self._unreadable(error) from error

    def asks_for(self, parameter: str) -> bool:
        """Whether the factory has a parameter of that name, which the toolkit may supply.

        Raises:
            PluginError: It cannot be imported, or does not tell its parameters.
        """
        try:
            return parameter in inspect.signature(self.load()).parameters
        except (TypeError, ValueError) as error:
            raise self._unreadable(error) from error

    def summary(self) -> str:
        """The first line of its documentation, or of the comment that a YAML file begins with.

        Raises:
            PluginError: It cannot be imported or read.
        """
        if not isinstance(self.target, Path):
            text = documentation(self.load())
        else:
            try:
                text = self.target.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise PluginError(f"{self} of {self.plugin} cannot be read: {error}") from error
            text = text.removeprefix("#") if text.startswith("#") else ""
        return text.strip().partition("\n")[0].strip()

    def check(self, options: Mapping[str, object]) -> dict[str, Any]:
        """Check options against the factory's signature without making anything.

        Raises:
            InputError: As for `Catalogue.create`.
            PluginError: It cannot be imported, or does not tell its parameters.
        """
        factory = self.load()
        try:
            return check_options(str(self), factory, options, self.kind.supplied)
        except InputError:
            raise
        except (TypeError, ValueError) as error:
            raise self._unreadable(error) from error

    def create(self, options: Mapping[str, object], context: Mapping[str, object]) -> Any:
        """Make the thing: see `Catalogue.create`."""
        factory = self.load()
        checked = self.check(options)
        supplied = self._wanted(factory, context)
        try:
            made = factory(**supplied, **checked)
        except CrystalVisionError:
            raise
        except ValueError as error:
            raise InputError(f"{self}: {error}") from error
        except Exception as error:  # a stranger's factory may raise anything
            raise PluginError(
                f"{self} of {self.plugin} failed: {type(error).__name__}: {error}"
            ) from error
        missing = [name for name in self.kind.requires if not hasattr(made, name)]
        if missing:
            raise PluginError(
                f"{self} of {self.plugin} made a {type(made).__name__} without "
                f"'{missing[0]}'; see crystalvision.contracts for what a {self.kind.name} must have"
            )
        from crystalvision.contracts import mark_origin  # imports torch, which --help does without

        mark_origin(made, f"{self} of {self.plugin}")
        return made

    def _wanted(
        self, factory: Callable[..., object], context: Mapping[str, object]
    ) -> dict[str, object]:
        """The context without what this factory does not ask for."""
        if not context:
            return {}
        parameters = inspect.signature(factory).parameters
        takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
        left_out = () if takes_any else set(self.kind.on_request).difference(parameters)
        return {name: value for name, value in context.items() if name not in left_out}

    def _unreadable(self, error: Exception) -> PluginError:
        return PluginError(
            f"{self} of {self.plugin} does not tell its parameters: {type(error).__name__}: {error}"
        )


def offered_entries(kind: Kind, plugin: PluginInfo, offered: object) -> Iterable[Entry]:
    """The entries in what one hook returned.

    Raises:
        PluginError: It is no mapping of names to what they stand for.
    """
    if not isinstance(offered, Mapping):
        raise PluginError(f"it returned a {type(offered).__name__}; expected a mapping of names")
    for name in offered:
        if not isinstance(name, str) or not name or name != name.strip() or ":" in name:
            raise PluginError(
                f"it offers the name {name!r}; expected text without ':' or spaces at its ends"
            )
    return [Entry(kind, name, plugin, target) for name, target in offered.items()]


def _resolve(entry: Entry) -> Any:
    """Import what an entry's text names."""
    module, _, attribute = str(entry.target).partition(":")
    try:
        if not attribute:
            raise ValueError("expected 'module:attribute'")  # noqa: TRY301 - told like a failed import
        return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        raise PluginError(
            f"{entry} of {entry.plugin} cannot be loaded from '{entry.target}': "
            f"{type(error).__name__}: {error}"
        ) from error
