"""Takes the options that may stand anywhere on the line: `-p VALUE` and `--debug`.

They decide which commands there are, so they are read before the rest can be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crystalvision.errors import InputError


@dataclass(frozen=True, slots=True)
class Arguments:
    """A command line, taken apart.

    Attributes:
        plugins: The values of `-p`, in order.
        debug: Whether `--debug` was given.
        rest: Everything else, in order.
    """

    plugins: tuple[str, ...]
    debug: bool
    rest: tuple[str, ...]


def split_arguments(argv: Sequence[str]) -> Arguments:
    """Take `-p VALUE`, `-pVALUE`, `--plugin VALUE`, `--plugin=VALUE` and `--debug` out of `argv`.

    What follows `--` is left alone.

    Raises:
        InputError: `-p` without a value.
    """
    plugins: list[str] = []
    rest: list[str] = []
    debug = False
    remaining = iter(argv)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument == "--debug":
            debug = True
        elif argument in {"-p", "--plugin"}:
            plugins.append(_value(argument, remaining))
        elif argument.startswith("--plugin="):
            plugins.append(argument.removeprefix("--plugin="))
        elif argument.startswith("-p"):
            plugins.append(argument.removeprefix("-p"))
        else:
            rest.append(argument)
    return Arguments(tuple(plugins), debug, tuple(rest))


def asks_for_debug(argv: Sequence[str]) -> bool:
    """Whether `--debug` stands anywhere before `--`; works on a line that is wrong elsewhere."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    return "--debug" in options


def _value(option: str, remaining: Iterator[str]) -> str:
    value = next(remaining, None)
    if value is None or value == "--":
        raise InputError(
            f"{option} needs a value: no:NAME to block a plugin, or a single-file plugin such as "
            "./my_backbone.py"
        )
    return value
