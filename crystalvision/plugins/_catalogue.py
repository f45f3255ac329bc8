"""Finds what plugins offer, by kind and name. The only place that does."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args, overload

from crystalvision.errors import InputError, PluginError
from crystalvision.plugins._entry import Entry, offered_entries
from crystalvision.plugins._kinds import KINDS, FactoryKind, FileKind, Kind
from crystalvision.plugins._manager import LoadedPlugins, PluginFailure, PluginInfo, PluginSelection

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import (
        Augmentation,
        Axis,
        Backbone,
        Crystal,
        Defect,
        Estimator,
        Features,
        Fusion,
        Head,
        Input,
        Instrument,
        Reader,
        Renderer,
        Target,
        Task,
    )
    from crystalvision.samples import Source


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
                    entries += offered_entries(kind, info, implementation.function())
                except PluginError as error:
                    failures.append(PluginFailure(info, f"{kind.hook}(): {error}"))
                except (Exception, SystemExit) as error:  # a stranger's hook may raise anything
                    text = f"{kind.hook}() failed: {type(error).__name__}: {error}"
                    failures.append(PluginFailure(info, text))
        return cls(entries, failures)

    def with_parts(self, parts: Iterable[tuple[Kind, PluginInfo, Mapping[str, object]]]) -> Self:
        """The same, with what else is offered: of a kind, by whom, name → what it stands for.

        Raises:
            PluginError: A name that cannot be one.
        """
        more = [
            entry for kind, plugin, names in parts for entry in offered_entries(kind, plugin, names)
        ]
        return type(self)([*self.entries, *more], self.failures)

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
        """Find one thing by its name, by `distribution:name`, or by `family:member`.

        A family is an entry with an option `model`, and `timm:resnet34` is the entry `timm` with
        that option bound to "resnet34". What a distribution of that name offers goes first.

        Raises:
            InputError: No such name, with the choices and the nearest; or several distributions
                offer it.
        """
        entries = self.of_kind(kind)
        found = [entry for entry in entries if name in {entry.name, entry.qualified_name}]
        if len(found) > 1:
            raise InputError(_several(found))
        if found:
            return found[0]
        family, colon, member = name.rpartition(":")
        if colon and member and (entry := self._family(kind, family)):
            target = partial(entry.load(), model=member)
            return replace(entry, name=f"{entry.name}:{member}", target=target)
        raise InputError(self._unknown(kind, name))

    def has(self, kind: str, name: str) -> bool:
        """Whether `entry` knows the name, or knows it more than once.

        Raises:
            InputError: There is no such kind.
        """
        if any(name in {entry.name, entry.qualified_name} for entry in self.of_kind(kind)):
            return True
        family, colon, member = name.rpartition(":")
        return bool(colon and member and self._family(kind, family))

    def _family(self, kind: str, name: str) -> Entry | None:
        """The entry of that name if it stands for many, chosen among by its option `model`."""
        entries = self.of_kind(kind)
        if name in {entry.plugin.distribution for entry in entries}:
            return None
        if not any(name in {entry.name, entry.qualified_name} for entry in entries):
            return None
        entry = self.entry(kind, name)
        if entry.kind.name not in get_args(FactoryKind):
            return None
        return entry if any(option.name == "model" for option in entry.options()) else None

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
        """The YAML file of a shipped recipe, experiment or suite.

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
        kind: Literal["instrument"],
        name: str,
        options: Mapping[str, object] = ...,
    ) -> "Instrument": ...
    @overload
    def create(
        self,
        kind: Literal["source"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        spec: object,
        catalogue: "Catalogue",
    ) -> "Source": ...
    @overload
    def create(
        self,
        kind: Literal["reader"],
        name: str,
        options: Mapping[str, object] = ...,
    ) -> "Reader": ...
    @overload
    def create(
        self,
        kind: Literal["input"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        axes: "Sequence[Axis]",
    ) -> "Input": ...
    @overload
    def create(
        self,
        kind: Literal["augmentation"],
        name: str,
        options: Mapping[str, object] = ...,
    ) -> "Augmentation": ...
    @overload
    def create(
        self,
        kind: Literal["backbone"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        in_channels: int,
        dimensions: int = ...,
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
        targets: "Mapping[str, Target]",
        grid: tuple[int, ...],
        map_grid: tuple[int, ...] = ...,
    ) -> "Head": ...
    @overload
    def create(
        self,
        kind: Literal["fusion"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        branch_features: Mapping[str, int],
        branch_outputs: Mapping[str, int],
        num_classes: int,
    ) -> "Fusion": ...
    @overload
    def create(
        self,
        kind: Literal["task"],
        name: str,
        options: Mapping[str, object] = ...,
    ) -> "Task": ...
    @overload
    def create(
        self,
        kind: Literal["feature"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        image_shape: tuple[int, ...],
        centre: tuple[float, ...],
        seed: int,
    ) -> "Features": ...
    @overload
    def create(
        self,
        kind: Literal["estimator"],
        name: str,
        options: Mapping[str, object] = ...,
        *,
        seed: int,
    ) -> "Estimator": ...
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
            name: Its name, `distribution:name` or `family:member`; see `entry`.
            options: The user's options, checked against the factory's signature.
            **context: What the toolkit supplies to this kind of factory.

        Raises:
            InputError: Unknown name or option, a value of the wrong type, or one that the factory
                refuses.
            PluginError: The factory fails in any other way, or makes something without what the
                contract asks for.
        """
        return self.entry(kind, name).create(options or {}, context)


def _several(found: list[Entry]) -> str:
    """Which distributions offer one name, and how to choose."""
    owners = " and ".join(str(entry.plugin) for entry in found)
    names = {entry.qualified_name for entry in found}
    if len(names) == len(found):
        cure = "write " + " or ".join(f"'{name}'" for name in sorted(names))
    else:
        cure = "leave one out: " + " or ".join(f"-p no:{entry.plugin.name}" for entry in found)
    return f"{found[0]} is offered by {owners}: {cure}"
