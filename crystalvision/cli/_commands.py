"""The commands there are: our own and those of plugins, each imported only when it is used."""

from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import crystalvision
from crystalvision.cli._summary import summary_of
from crystalvision.errors import InputError, PluginError
from crystalvision.plugins import KINDS, Catalogue, Entry, PluginInfo

OWN_COMMANDS = {
    "simulate": "crystalvision.cli.simulate:simulate",
    "dataset": "crystalvision.cli.dataset:app",
    "train": "crystalvision.cli.train:train",
    "evaluate": "crystalvision.cli.evaluate:evaluate",
    "export": "crystalvision.cli.export:export",
    "predict": "crystalvision.cli.predict:predict",
    "adapt": "crystalvision.cli.adapt:adapt",
    "library": "crystalvision.cli.library:app",
    "benchmark": "crystalvision.cli.benchmark:benchmark",
    "report": "crystalvision.cli.report:report",
    "explore": "crystalvision.cli.explore:explore",
    "plugins": "crystalvision.cli.plugins:app",
}
"""Our own commands, in the order of the work."""


def command_entries(catalogue: Catalogue) -> list[Entry]:
    """Our own commands between those of our own plugins and those of other distributions."""
    core = PluginInfo("crystalvision", "crystalvision", crystalvision.__version__)
    own = [Entry(KINDS["command"], name, core, target) for name, target in OWN_COMMANDS.items()]
    offered = catalogue.of_kind("command")
    ours = [entry for entry in offered if entry.plugin.distribution == core.distribution]
    theirs = [entry for entry in offered if entry.plugin.distribution != core.distribution]
    return [*ours, *own, *theirs]


class CommandGroup(TyperGroup):
    """A group that shows its commands from their source, and imports one when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._entries: dict[str, list[Entry]] = {}

    def offer(self, entries: Iterable[Entry]) -> None:
        """Add commands; two of one name are an error only when that name is called."""
        for entry in entries:
            self._entries.setdefault(entry.name, []).append(entry)
        for name, offered in self._entries.items():
            text = summary_of(offered[0].target) if len(offered) == 1 else _clash(offered)
            self.add_command(TyperCommand(name, help=text), name)

    # typer may bring its own click, whose types cannot be named for every version of it.
    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find the command that `args` begins with, import it, and return it with the rest.

        Raises:
            InputError: Two distributions offer it.
            PluginError: It cannot be imported, or is no command.
        """
        name, _, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, None, rest
        offered = self._entries[name]
        if len(offered) > 1:
            raise InputError(_clash(offered))
        return name, _load(offered[0]), rest


def _clash(offered: list[Entry]) -> str:
    owners = " and ".join(str(entry.plugin) for entry in offered)
    stranger = offered[-1].plugin.name
    return (
        f"the command '{offered[0].name}' is offered by {owners}: "
        f"leave one out, for example with -p no:{stranger}"
    )


def _load(entry: Entry) -> Any:
    target = entry.load()
    if not isinstance(target, typer.Typer):
        if not callable(target):
            raise PluginError(
                f"{entry} of {entry.plugin} is a {type(target).__name__}; "
                "expected a function for typer, or a typer.Typer"
            )
        function = target
        target = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        target.command(entry.name)(function)
    target._add_completion = False
    try:
        command = get_command(target)
    except Exception as error:  # typer raises several kinds for a signature it cannot read
        raise PluginError(
            f"{entry} of {entry.plugin} cannot be made a command: {type(error).__name__}: {error}"
        ) from error
    command.name = entry.name
    return command
