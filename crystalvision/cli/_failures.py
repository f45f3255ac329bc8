"""How each kind of error ends the program: one line on stderr and an exit status."""

import errno
import os
import sys
import traceback
from dataclasses import dataclass

import typer
from rich.text import Text

from crystalvision.cli.console import err
from crystalvision.errors import CrystalVisionError

# Newer typer brings its own click, older typer imports the public one: this is the class of either.
_UsageError: type[BaseException] = typer.BadParameter.__bases__[0]

_DISK_ERRORS = {
    errno.EACCES: "permission denied",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENOSPC: "the disk is full",
    errno.EPERM: "not permitted",
    errno.EROFS: "the file system is read-only",
}

_GPU_MEMORY = "OutOfMemoryError"  # torch's, which is not imported to explain other errors
INTERNAL_ERROR_STATUS = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED_STATUS = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE_STATUS = 141  # 128 + SIGPIPE


@dataclass(frozen=True, slots=True)
class Failure:
    """How an error ends the program.

    Attributes:
        status: The exit status.
        text: What to say on stderr, or "" to be quiet.
    """

    status: int
    text: str = ""


def explain(error: BaseException) -> Failure:
    """The exit status and the line for an error.

    Args:
        error: What a command raised.
    """
    match error:
        case CrystalVisionError():
            failure = Failure(error.exit_status, f"error: {error}")
        case _UsageError():
            failure = Failure(2, f"error: {_usage(error)}")
        case KeyboardInterrupt() | typer.Abort():
            failure = Failure(INTERRUPTED_STATUS, "interrupted")
        case BrokenPipeError():
            failure = Failure(BROKEN_PIPE_STATUS)
        case OSError(errno=number, filename=path) if number in _DISK_ERRORS:
            where = f"{path!s:.200}: " if path else ""
            failure = Failure(1, f"error: {where}{_DISK_ERRORS[number]}")
        case MemoryError():
            failure = Failure(1, f"error: not enough memory {error}".rstrip())
        case _ if type(error).__name__ == _GPU_MEMORY:
            failure = Failure(
                1, "error: out of memory on the GPU: raise input.bin, or use --device cpu"
            )
        case _:
            failure = Failure(
                INTERNAL_ERROR_STATUS,
                f"internal error: {type(error).__name__}: {error} "
                "(run again with --debug for the traceback, and please report it)",
            )
    return failure


def report_failure(error: BaseException, debug: bool) -> int:
    """Say on stderr what happened, in one line, and return the exit status."""
    failure = explain(error)
    if isinstance(error, BrokenPipeError):
        _discard_stdout()
    elif debug:
        traceback.print_exception(error, file=sys.stderr)
    if failure.text:
        word, colon, text = " ".join(failure.text.split("\n")).partition(":")
        err.print(Text.assemble((word + colon, "bold red"), text), soft_wrap=True)
    return failure.status


def _usage(error: BaseException) -> str:
    """What typer says of a wrong line, as our own errors are written, and where help is."""
    text = str(getattr(error, "format_message", error.__str__)()).strip().removesuffix(".")
    context = getattr(error, "ctx", None)
    text = text[:1].lower() + text[1:]
    return f"{text} (see {context.command_path} --help)" if context else text


def _discard_stdout() -> None:
    """Keep Python from failing again when it flushes stdout at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is no real file, so nothing will be flushed to it
        return
