"""How each kind of error ends the program: one line on stderr and an exit status."""

import errno
import sys
import traceback
from dataclasses import dataclass
from typing import Any

import typer

from crystalvision.console import discard, err, out, styled
from crystalvision.errors import CrystalVisionError, TerminatedError
from crystalvision.text import message, printable

# Newer typer brings its own click, older typer imports the public one: this is the class of either.
_UsageError: type[BaseException] = typer.BadParameter.__bases__[0]

_DISK_ERRORS = {
    errno.EACCES: "permission denied",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENOSPC: "the disk is full",
    errno.EPERM: "not permitted",
    errno.EROFS: "the file system is read-only",
    errno.EFBIG: "the file would be larger than the file system bears",
    errno.EIO: "input/output error",
    errno.EISDIR: "it is a folder",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.ENODEV: "no such device",
    errno.ENOTDIR: "a part of its path is no folder",
    errno.ENXIO: "no such device",
    errno.ESTALE: "the server of the file has gone",
    errno.ETIMEDOUT: "the disk did not answer in time",
}

_NAME_ERRORS = {
    errno.EILSEQ: "the file system has no such characters",
    errno.EINVAL: "no name that the file system has",
    errno.ELOOP: "symbolic links that lead in a circle",
    errno.ENAMETOOLONG: "the name is longer than the file system bears",
}
_NUL_IN_PATH = "embedded null"

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
        case TerminatedError():
            failure = Failure(error.exit_status, str(error) or "terminated")
        case KeyboardInterrupt() | typer.Abort():
            failure = Failure(INTERRUPTED_STATUS, "interrupted")
        case BrokenPipeError():
            failure = Failure(BROKEN_PIPE_STATUS)
        case OSError() if (known := _refusal(error)) is not None:
            failure = known
        case ValueError() if _NUL_IN_PATH in str(error):
            failure = Failure(2, "error: a name of a file holds the character \\x00; none can")
        case MemoryError():
            failure = Failure(1, f"error: not enough memory {error}".rstrip())
        case _ if type(error).__name__ == _GPU_MEMORY:
            failure = Failure(
                1,
                "error: out of memory on the GPU: bin more (input.bin.size), or use --device cpu",
            )
        case _:
            failure = Failure(
                INTERNAL_ERROR_STATUS,
                f"internal error: {type(error).__name__}: {error} "
                "(run again with --debug for the traceback, and please report it)",
            )
    return failure


def _refusal(error: OSError) -> Failure | None:
    """What the disk or the file system refuses, if that is what it is."""
    number, path = error.errno, error.filename
    if number in _DISK_ERRORS:
        where = f"{path}: " if path else ""
        return Failure(1, f"error: {where}{_DISK_ERRORS[number]}")
    if number in _NAME_ERRORS and path:
        return Failure(2, f"error: {path}: {_NAME_ERRORS[number]}")
    return None


def report_failure(error: BaseException, debug: bool) -> int:
    """Say on stderr what happened, in one line, and return the exit status."""
    failure = explain(error)
    if isinstance(error, OSError):
        _flush_or_discard()
    if debug and failure.status != BROKEN_PIPE_STATUS:
        err.write(printable("".join(traceback.format_exception(error))))
    if failure.text:
        word, colon, text = message(" ".join(failure.text.splitlines())).partition(":")
        err.print(styled((word + colon, "bold red"), text), soft_wrap=True)
    return failure.status


def finish() -> int:
    """Flush stdout at the end of a command that went well, and return the exit status."""
    sys.stdout.flush()
    return BROKEN_PIPE_STATUS if out.broken else 0


def _usage(error: BaseException) -> str:
    """What typer says of a wrong line, as our own errors are written, and where help is."""
    # click lays choices out over lines and tabs; an error is one line.
    text = " ".join(str(getattr(error, "format_message", error.__str__)()).split()).removesuffix(
        "."
    )
    context = getattr(error, "ctx", None)
    text = text[:1].lower() + text[1:]
    refused: list[Any] = getattr(error.__cause__, "errors", list)()  # pydantic's, without the value
    if refused and "input" in refused[0]:
        text += f", not {printable(str(refused[0]['input'])):.60}"
    return f"{text} (see {context.command_path} --help)" if context else text


def _flush_or_discard() -> None:
    """Keep Python from failing again when it flushes stdout at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        discard(sys.stdout)
