"""What every command is given: `ctx.obj`."""

from dataclasses import dataclass, field

from crystalvision.plugins import Catalogue, PluginSelection


@dataclass(frozen=True, slots=True)
class State:
    """What the options that are common to all commands have set up.

    Attributes:
        catalogue: What the loaded plugins offer.
        debug: Whether the user asked for tracebacks and library warnings.
        selection: What `-p` asked for, so that a worker process can load the same plugins.
        arguments: The whole command line, without the program's name.
    """

    catalogue: Catalogue
    debug: bool = False
    selection: PluginSelection = field(default_factory=PluginSelection)
    arguments: tuple[str, ...] = ()
