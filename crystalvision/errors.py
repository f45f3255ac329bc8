"""The errors that CrystalVision raises on purpose, each with one line a user can act on."""

from crystalvision.text import message


class CrystalVisionError(Exception):
    """Base of every error raised on purpose; its text is one line for the user.

    `exit_status` is what the command line returns for it. Whatever a value that the text quotes
    holds, it stays one line of characters that show.
    """

    exit_status = 1

    def __init__(self, text: str = "", *others: object) -> None:
        super().__init__(message(str(text)), *others)


class InputError(CrystalVisionError, ValueError):
    """What the user gave cannot be used. The text quotes it and says what was expected."""

    exit_status = 2


class TerminatedError(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM; no `except Exception` keeps it, as with Ctrl-C."""

    exit_status = 143  # 128 + SIGTERM, as shells have it


class PluginError(CrystalVisionError):
    """A plugin broke its contract or failed. The text names the plugin."""


class ExportError(CrystalVisionError):
    """A system that cannot be exported, or a file that is another model than the run's."""


class StorageError(CrystalVisionError):
    """The disk refused: full, unwritable, or a file that is damaged."""


class ClusterError(CrystalVisionError):
    """Workers of a cluster that die, or cannot be reached any more."""
