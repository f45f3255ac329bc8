"""What every command is given: `ctx.obj`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.threads import Threads

if TYPE_CHECKING:
    from crystalvision.api.session import Session


@dataclass(frozen=True, slots=True)
class State:
    """What the options that are common to all commands have set up.

    Attributes:
        catalogue: What the loaded plugins offer.
        debug: Whether the user asked for tracebacks and library warnings.
        selection: What `-p` asked for, so that a worker process can load the same plugins.
        arguments: The whole command line, without the program's name.
        threads: What was chosen for the threads of this process; nothing where Python called.
    """

    catalogue: Catalogue
    debug: bool = False
    selection: PluginSelection = field(default_factory=PluginSelection)
    arguments: tuple[str, ...] = ()
    threads: Threads | None = None

    @property
    def session(self) -> "Session":
        """Who asks, for the Python face."""
        from crystalvision.api.session import Session

        return Session(
            self.catalogue,
            self.selection,
            command=("crystalvision", *self.arguments),
            threads=self.threads,
        )
