"""Finds what plugins offer, by kind and name. The only place that does."""

import difflib
import importlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from crystalvision.errors import CrystalVisionError, InputError, PluginError
from crystalvision.plugins._kinds import KINDS, FactoryKind, FileKind, Kind
from crystalvision.plugins._manager import (
    LoadedPlugins,
    PluginFailure,
    PluginInfo,
    PluginSelection,
)
from crystalvision.plugins._options import Option, check_options, factory_options

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import Backbone, Crystal, Defect, Fusion, Head, Renderer


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
        """The factory or command itself, imported if it was given as text.

        Raises:
            PluginError: The import fails.
        """
        if not isinstance(self.target, str):
            return self.target
        module_name, _, attribute = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module_name), attribute)
        except Exception as error:
            raise PluginError(
                f"{self} of {self.plugin} cannot be loaded from '{self.target}': "
                f"{type(error).__name__}: {error}"
            ) from error

    def options(self) -> list[Option]:
        """The options of a factory, with their types and defaults."""
        return factory_options(self.load(), self.kind.context)[0]

    def summary(self) -> str:
        """The first line of its documentation, or of the comment that a YAML file begins with.

        Raises:
            PluginError: It cannot be imported or read.
        """
        if not isinstance(self.target, Path):
            text = inspect.getdoc(self.load()) or ""
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
        """
        return check_options(str(self), self.load(), options, self.kind.context)

    def create(self, options: Mapping[str, object], context: Mapping[str, object]) -> Any:
        """Make the thing: see `Catalogue.create`."""
        factory = self.load()
        checked = self.check(options)
        try:
            made = factory(**context, **checked)
        except CrystalVisionError:
            raise
        except ValueError as error:
            raise InputError(f"{self}: {error}") from error
        except Exception as error:
            raise PluginError(
                f"{self} of {self.plugin} failed: {type(error).__name__}: {error}"
            ) from error
        missing = [name for name in self.kind.requires if not hasattr(made, name)]
        if missing:
            raise PluginError(
                f"{self} of {self.plugin} made a {type(made).__name__} without "
                f"'{missing[0]}'; see crystalvision.contracts for what a {self.kind.name} must have"
            )
        return made


class Catalogue:
    """What every loaded plugin offers.

    Example:
        >>> catalogue = Catalogue.load()
        >>> backbone = catalogue.create("backbone", "dnsnet", {"growth": 12}, in_channels=1)
    """

    def __init__(self, entries: Iterable[Entry], failures: Iterable[PluginFailure] = ()) -> None:
        self.entries = sorted(
            entries,
            key=lambda entry: (list(KINDS).index(entry.kind.name), entry.name, entry.plugin.name),
        )
        self.failures = list(failures)

    @classmethod
    def load(cls, selection: PluginSelection | None = None) -> Self:
        """Load the installed plugins and the selected files.

        Args:
            selection: Files to load and names to block; by default what the environment variable
                `CRYSTALVISION_PLUGINS` says.

        Raises:
            InputError: A selected file cannot be loaded, or a blocked name does not exist.
        """
        loaded = LoadedPlugins(selection or PluginSelection.from_environment())
        failures = list(loaded.failures)
        entries: list[Entry] = []
        for kind in KINDS.values():
            for implementation in getattr(loaded.manager.hook, kind.hook).get_hookimpls():
                info = loaded.origin(implementation.plugin)
                try:
                    offered = dict(implementation.function())
                except Exception as error:  # a stranger's hook may raise anything
                    text = f"{kind.hook}() failed: {type(error).__name__}: {error}"
                    failures.append(PluginFailure(info, text))
                    continue
                entries += [Entry(kind, name, info, target) for name, target in offered.items()]
        return cls(entries, failures)

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries of one kind, by name.

        Raises:
            InputError: There is no such kind.
        """
        if kind not in KINDS:
            raise InputError(f"no kind of plugin is called '{kind}'; kinds: {', '.join(KINDS)}")
        return [entry for entry in self.entries if entry.kind.name == kind]

    def names(self, kind: str) -> list[str]:
        """The names of one kind; qualified where two distributions offer the same name."""
        entries = self.of_kind(kind)
        plain = [entry.name for entry in entries]
        return [
            entry.name if plain.count(entry.name) == 1 else entry.qualified_name
            for entry in entries
        ]

    def entry(self, kind: str, name: str) -> Entry:
        """Find one thing by its name or by `distribution:name`.

        Raises:
            InputError: No such name, with the choices and the nearest; or several distributions
                offer it.
        """
        entries = self.of_kind(kind)
        found = [entry for entry in entries if name in {entry.name, entry.qualified_name}]
        if len(found) > 1:
            choices = " or ".join(f"'{entry.qualified_name}'" for entry in found)
            owners = " and ".join(str(entry.plugin) for entry in found)
            raise InputError(f"{kind} '{name}' is offered by {owners}: write {choices}")
        if not found:
            raise InputError(self._unknown(kind, name))
        return found[0]

    def _unknown(self, kind: str, name: str) -> str:
        names = self.names(kind)
        nearest = difflib.get_close_matches(name, names, n=1)
        parts = [f"no {kind} is called '{name}'"]
        if nearest:
            parts.append(f"did you mean '{nearest[0]}'?")
        parts.append(f"there {'is' if len(names) == 1 else 'are'}: {', '.join(names) or 'none'}")
        if self.failures:
            broken = ", ".join(failure.plugin.name for failure in self.failures)
            parts.append(f"not loaded, and perhaps its home: {broken} (see crystalvision plugins)")
        return "; ".join(parts).replace("?;", "?")

    def path(self, kind: FileKind, name: str) -> Path:
        """The YAML file of a shipped recipe or experiment.

        Raises:
            InputError: No such name.
        """
        target = self.entry(kind, name).target
        return Path(str(target))

    @overload
    def create(
        self,
        kind: Literal["structure"],
        name: str,
        options: Mapping[str, object] = ...,
    ) -> "Crystal": ...
    @overload
    def create(
        self,
        kind: Literal["defect"],
        name: str,
        options: Mapping[str, object] = ...,
    ) -> "Defect": ...
    @overload
    def create(
        self,
        kind: Literal["renderer"],
        name: str,
        options: Mapping[str, object] = ...,
    ) -> "Renderer": ...
    @overload
    def create(
        self,
        kind: Literal["backbone"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        in_channels: int,
    ) -> "Backbone": ...
    @overload
    def create(
        self,
        kind: Literal["head"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        num_features: int,
        num_classes: int,
    ) -> "Head": ...
    @overload
    def create(
        self,
        kind: Literal["fusion"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        branch_features: Mapping[str, int],
    ) -> "Fusion": ...
    def create(
        self,
        kind: FactoryKind,
        name: str,
        options: Mapping[str, object] | None = None,
        **context: object,
    ) -> Any:
        """Make one thing.

        Args:
            kind: Its kind.
            name: Its name, or `distribution:name`.
            options: The user's options, checked against the factory's signature.
            **context: What the toolkit supplies to this kind of factory.

        Raises:
            InputError: Unknown name or option, a value of the wrong type, or one that the factory
                refuses.
            PluginError: The factory fails in any other way, or makes something without what the
                contract asks for.
        """
        return self.entry(kind, name).create(options or {}, context)
