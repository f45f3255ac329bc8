"""Loads plugins from entry points and single files, and survives the ones that fail."""

import difflib
import importlib.util
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Self

import pluggy

from crystalvision import hookspecs
from crystalvision.errors import InputError, PluginError

PROJECT = "crystalvision"
ENVIRONMENT_VARIABLE = "CRYSTALVISION_PLUGINS"
SESSION = "crystalvision.register"
"""The distribution of parts that were registered in a Python session, not by a plugin."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """Where a plugin comes from.

    Attributes:
        name: Its entry-point name, or the path of a single file.
        distribution: The distribution that brought it, or the path of a single file.
        version: The distribution's version, or "" for a single file.
    """

    name: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin that could not be loaded, and why."""

    plugin: PluginInfo
    error: str


@dataclass(frozen=True, slots=True)
class PluginSelection:
    """What `-p` asked for, in the manner of pytest.

    Attributes:
        files: Single-file plugins to load (`-p ./my_backbone.py`).
        blocked: Names of plugins or distributions to leave out (`-p no:NAME`).
        by_environment: Which of these values the environment variable gave, for errors.
    """

    files: tuple[Path, ...] = ()
    blocked: frozenset[str] = frozenset()
    by_environment: frozenset[str] = field(default=frozenset(), compare=False)

    def described(self, value: str | Path) -> str:
        """A value with who gave it, such as `-p no:NAME`."""
        giver = f"{ENVIRONMENT_VARIABLE}: " if str(value) in self.by_environment else "-p "
        return f"{giver}{value}"

    @classmethod
    def parse(cls, values: Iterable[str], environment: Iterable[str] = ()) -> Self:
        """Read the values of `-p`.

        Args:
            values: What the option gave.
            environment: What the environment variable gave, which comes first.

        Raises:
            InputError: A value is neither `no:NAME` nor the path of a Python file.
        """
        files: list[Path] = []
        blocked: set[str] = set()
        first = list(environment)
        for number, value in enumerate([*first, *values]):
            if value.startswith("no:"):
                blocked.add(value.removeprefix("no:"))
            elif value.endswith(".py"):
                files.append(Path(value))
            else:
                giver = f"{ENVIRONMENT_VARIABLE}: " if number < len(first) else "-p "
                raise InputError(
                    f"{giver}{value}: expected no:NAME to block a plugin, or the path of a "
                    "single-file plugin such as ./my_backbone.py (installed plugins load by "
                    "themselves)"
                )
        described = {str(Path(value)) if value.endswith(".py") else value for value in first}
        return cls(tuple(files), frozenset(blocked), frozenset(described))

    @classmethod
    def from_environment(cls, extra: Iterable[str] = ()) -> Self:
        """The values of `CRYSTALVISION_PLUGINS`, separated by commas, and then `extra`."""
        value = os.environ.get(ENVIRONMENT_VARIABLE, "")
        return cls.parse(extra, [part.strip() for part in value.split(",") if part.strip()])


class LoadedPlugins:
    """A pluggy manager with every plugin that could be loaded, and the failures of the others."""

    def __init__(self, selection: PluginSelection) -> None:
        """Load what is installed and selected.

        Raises:
            InputError: A single-file plugin cannot be loaded, or a blocked name does not exist.
        """
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self.failures: list[PluginFailure] = []
        self._infos: dict[str, PluginInfo] = {}
        known: set[str] = set()
        for entry_point in sorted(entry_points(group=PROJECT), key=_origin):
            info = _info(entry_point)
            known |= {info.name, info.distribution}
            if {info.name, info.distribution} & selection.blocked:
                continue
            try:
                self._register(entry_point.load(), info)
            except PluginError as error:
                self.failures.append(PluginFailure(info, str(error)))
            except (Exception, SystemExit) as error:  # a stranger's module may raise anything
                self.failures.append(PluginFailure(info, f"{type(error).__name__}: {error}"))
        if unknown := selection.blocked - known:
            raise InputError(
                f"{selection.described(f'no:{min(unknown)}')}: no such plugin; "
                f"installed: {', '.join(sorted(known))}"
            )
        for path in selection.files:
            self._register_file(path, selection.described(path))

    def origin(self, plugin: object) -> PluginInfo:
        """Where a registered plugin comes from."""
        return self._infos[self.manager.get_name(plugin) or ""]

    def _register_file(self, path: Path, described: str) -> None:
        info = PluginInfo(str(path), str(path), "")
        if not path.is_file():
            raise InputError(f"{described}: no such file")
        try:
            self._register(_import_file(path), info)
        except PluginError as error:
            raise InputError(f"{described}: {error}") from error
        except (Exception, SystemExit) as error:  # the file may raise anything
            raise InputError(f"{described}: {type(error).__name__}: {error}") from error

    def _register(self, plugin: object, info: PluginInfo) -> None:
        key = f"{info.distribution}:{info.name}"
        if self.manager.is_registered(plugin):
            first = self.manager.get_name(plugin)
            raise PluginError(f"it is the same module as the plugin '{first}'")
        if self.manager.has_plugin(key):
            raise PluginError("it is loaded already")
        try:
            self.manager.register(plugin, key)
            self.manager.check_pending()
        except pluggy.PluginValidationError as error:
            self._forget(plugin)
            raise PluginError(_explain_invalid(plugin, error)) from error
        if not self.manager.get_hookcallers(plugin):
            self._forget(plugin)
            raise PluginError("it has no function marked @hookimpl of crystalvision")
        self._infos[key] = info

    def _forget(self, plugin: object) -> None:
        """Unregister a plugin that may have been registered in part, or not at all."""
        if self.manager.is_registered(plugin):
            self.manager.unregister(plugin)


def _explain_invalid(plugin: object, error: pluggy.PluginValidationError) -> str:
    hooks = [name for name in dir(hookspecs) if name.startswith(f"{PROJECT}_")]
    for name in dir(plugin):
        if name not in hooks and getattr(getattr(plugin, name), f"{PROJECT}_impl", None):
            nearest = difflib.get_close_matches(name, hooks, n=1)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
            return f"unknown hook '{name}'{hint} Hooks: {', '.join(hooks)}"
    return " ".join(str(error).split())


def _import_file(path: Path) -> ModuleType:
    """Import a single file under a name of its own, so that it shadows no installed module."""
    name = f"crystalvision_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up by name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _info(entry_point: EntryPoint) -> PluginInfo:
    distribution = entry_point.dist
    if distribution is None:
        return PluginInfo(entry_point.name, "unknown", "")
    return PluginInfo(entry_point.name, distribution.name, distribution.version)


def _origin(entry_point: EntryPoint) -> tuple[str, str]:
    info = _info(entry_point)
    return info.distribution, info.name
