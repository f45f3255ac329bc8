"""Who asks, and what there is to choose from: a Python session, or a command line."""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from crystalvision.config import apply_overrides, apply_settings
from crystalvision.console import err
from crystalvision.errors import InputError
from crystalvision.plugins import KINDS, SESSION, Catalogue, PluginInfo, PluginSelection
from crystalvision.threads import Threads

if TYPE_CHECKING:
    import pandas as pd

Changes: TypeAlias = Mapping[str, Any] | Sequence[str]
"""Values to change: by path, or as `KEY=VALUE` texts, whose values are read as YAML."""

_registered: dict[tuple[str, str], tuple[PluginInfo, object]] = {}


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks.

    Attributes:
        catalogue: What there is to choose from.
        selection: The plugins that further processes load.
        command: The command line, for records; nothing where Python called.
        threads: What was chosen for the threads of this process; nothing where Python called.
    """

    catalogue: Catalogue
    selection: PluginSelection = field(default_factory=PluginSelection.from_environment)
    command: tuple[str, ...] = ()
    threads: Threads | None = None

    @classmethod
    def here(cls) -> Self:
        """This Python session, with the parts that were registered in it."""
        return cls(registered_catalogue())

    @property
    def keep_threads(self) -> bool:
        """Whether a training that goes on may change torch's threads to those it began with."""
        return self.threads is not None and self.threads.automatic

    def begin(self, device: str) -> None:
        """Work begins on a device: say how many threads compute, if the machine is busy."""
        if device == "cpu" and self.threads is not None and self.threads.note:
            err.print(f"note: {self.threads.note}", soft_wrap=True)


def register(**parts: Mapping[str, Callable[..., Any] | str]) -> None:
    """Offer parts to this session, without a package: a class from a cell of a notebook.

    Registering a name again replaces what it stood for, so that a cell can be run again. Runs that
    use such a part can be loaded in this session, and in another one once it is registered there;
    what is to last belongs into a file (`-p ./my_backbone.py`) or a package.

    Example:
        >>> cv.register(backbone={"mynet": MyNet})

    Args:
        **parts: Kind, such as `backbone`, `head`, `defect` or `renderer` → name → factory; see
            `crystalvision.hookspecs`.

    Raises:
        InputError: No such kind, a name that a plugin has already, or something that is no factory.
    """
    installed = Catalogue.load()
    found = {}
    for kind, factories in parts.items():
        known = installed.of_kind(kind)
        for name, factory in factories.items():
            if any(name == entry.name for entry in known):
                raise InputError(
                    f"register: a {kind} '{name}' is installed already; choose another name"
                )
            if not callable(factory):
                raise InputError(
                    f"register: the {kind} '{name}' is of type {type(factory).__name__}; expected "
                    "a class or a function that makes it"
                )
            found[kind, name] = (PluginInfo(SESSION, SESSION, _version(factory)), factory)
    _registered.update(found)


def registered_catalogue() -> Catalogue:
    """What the installed plugins, those of `CRYSTALVISION_PLUGINS` and this session offer."""
    return Catalogue.load().with_parts(
        (KINDS[kind], plugin, {name: factory})
        for (kind, name), (plugin, factory) in _registered.items()
    )


def list_plugins(kind: str | None = None) -> "pd.DataFrame":
    """What there is to choose from: a row for each part, with its kind, name and plugin.

    Args:
        kind: Only those of a kind, such as `backbone`.

    Raises:
        InputError: No such kind.
    """
    import pandas as pd

    all_of_it = registered_catalogue()
    entries = all_of_it.entries if kind is None else all_of_it.of_kind(kind)
    columns = ["kind", "name", "plugin"]
    rows = [(entry.kind.name, entry.name, str(entry.plugin)) for entry in entries]
    return pd.DataFrame(rows, columns=columns)


def apply_changes(data: Mapping[str, Any], changes: Changes, source: str) -> dict[str, Any]:
    """What was read, with values changed.

    Args:
        data: What was read; it is not changed.
        changes: The values.
        source: Where it was read from, for the error.

    Raises:
        InputError: A path through something that has no keys, or a text that is no `KEY=VALUE`.
    """
    if isinstance(changes, Mapping):
        return apply_settings(data, changes, source)
    return apply_overrides(data, changes)


def _version(factory: object) -> str:
    """What tells a class from what it was before its cell was changed."""
    try:
        source = inspect.getsource(factory)  # type: ignore[arg-type]
    except (OSError, TypeError):  # typed at a prompt
        return ""
    return f"sha256:{hashlib.sha256(source.encode()).hexdigest()[:12]}"
