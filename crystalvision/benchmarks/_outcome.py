"""How the training and the tests of a cell end."""

import traceback

from crystalvision.benchmarks._rows import Status
from crystalvision.config import Config

_NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate")


class Outcome(Config):
    """How a cell ended; what `failures/NAME.json` holds.

    Attributes:
        status: `ok`, or what went wrong.
        error: What went wrong, in a line.
        log: The traceback, or what else the process left.
    """

    status: Status
    error: str = ""
    log: str = ""


def outcome_of(error: BaseException) -> Outcome:
    """What an error that ended a cell says of it."""
    from crystalvision.errors import CrystalVisionError, TerminatedError
    from crystalvision.training import DivergenceError

    status: Status = "failed"
    if isinstance(error, DivergenceError):
        status = "diverged"
    elif any(_lacks_memory(each) for each in _chain(error)):
        status = "out-of-memory"
    text = str(error)
    if not isinstance(error, CrystalVisionError | TerminatedError):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return Outcome(status=status, error=in_a_line(text), log="".join(_format(error)))


def killed(signal_number: int, log: str) -> Outcome:
    """What it means that the process of a cell was killed.

    Args:
        signal_number: The signal.
        log: What it wrote on its standard error.
    """
    if signal_number == 9:
        text = "the process was killed, most likely by the system for want of memory"
        return Outcome(status="out-of-memory", error=text, log=log)
    return Outcome(
        status="failed", error=f"the process was ended by signal {signal_number}", log=log
    )


def in_a_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())


def _lacks_memory(error: BaseException) -> bool:
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in message for words in _NO_MEMORY)


def _chain(error: BaseException | None) -> list[BaseException]:
    """An error, and what it came from: a plugin's error is wrapped in one of ours."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _format(error: BaseException) -> list[str]:
    return traceback.format_exception(error)
