"""Reads the command line, runs the command, and turns every error into a line and a status."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_group

import crystalvision
from crystalvision.cli._arguments import asks_for_debug, split_arguments
from crystalvision.cli._begun import BEGUN
from crystalvision.cli._commands import CommandGroup, command_entries
from crystalvision.cli._failures import BROKEN_PIPE_STATUS, finish, report_failure
from crystalvision.cli._quiet import quiet_libraries
from crystalvision.cli._state import State
from crystalvision.cli._streams import usable_streams
from crystalvision.console import err, out
from crystalvision.ordinary_files import only_ordinary_files
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.processes import terminable
from crystalvision.threads import Threads, set_up

PROGRAM = "crystalvision"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: The arguments, by default those of the process.

    Returns:
        The exit status: 0, or 1 for trouble, 2 for bad input, 70 for an error of our own, 130 when
        interrupted, 141 when all was done, but who read stdout had closed it, 143 when terminated.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = asks_for_debug(arguments)
    with usable_streams(), quiet_libraries(debug), terminable(), only_ordinary_files():
        for console in (out, err):
            console.begin()
        try:
            # A process of our own: a stranger's, which calls with arguments, is left as it is.
            threads = set_up(BEGUN, os.environ) if argv is None else None
            _run(arguments, threads)
            return finish()
        except typer.Exit as done:
            return done.exit_code or finish()
        except SystemExit as stop:  # of typer's own console, which prints help
            if isinstance(stop.__context__, BrokenPipeError):
                return BROKEN_PIPE_STATUS
            raise
        except (Exception, KeyboardInterrupt) as error:  # the one place that explains errors
            return report_failure(error, debug)


def _run(argv: Sequence[str], threads: Threads | None) -> None:
    arguments = split_arguments(argv)
    selection = PluginSelection.from_environment(arguments.plugins)
    catalogue = Catalogue.load(selection)
    group = build_group(catalogue)
    state = State(catalogue, arguments.debug, selection, tuple(argv), threads)
    # Not group.main(): it would answer Ctrl-C and errors in its own ways.
    with group.make_context(PROGRAM, list(arguments.rest) or ["--help"], obj=state) as context:
        group.invoke(context)


def build_group(catalogue: Catalogue) -> CommandGroup:
    """The command group of all commands, ours and those of the catalogue's plugins."""
    app = typer.Typer(cls=CommandGroup, add_completion=False, rich_markup_mode="markdown")
    app.callback()(_root)
    group = get_group(app)
    if not isinstance(group, CommandGroup):
        raise TypeError(f"typer made a {type(group).__name__} instead of a CommandGroup")
    group.offer(command_entries(catalogue))
    return group


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"{PROGRAM} {crystalvision.__version__}")  # noqa: T201 - plain, no markup
        raise typer.Exit


def _root(
    *,
    plugin: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--plugin",
            metavar="VALUE",
            help="Load a single-file plugin (./my_backbone.py), or leave one out (no:NAME). "
            "May be repeated, and stand anywhere on the line.",
        ),
    ] = None,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="On an error show the traceback, and show the warnings of libraries.",
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Make labelled diffraction images of crystals with defects, and train models on them."""
