"""A console on which whatever is printed is text."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from crystalvision.text import one_line, printable


class TextConsole(Console):
    """Prints text as it is: no markup, no emoji codes, and control characters as escapes.

    A command prints what users named, so it cannot forget to escape it: a str is one line, in a
    table, too, and its ends of lines are escaped; `styled` and `lines` make what is more. What the
    stream cannot encode is escaped by the stream itself, see `usable_streams`. A pipe that its
    reader closed ends printing, not the command's work.

    Attributes:
        broken: Whether the reader of the stream has gone.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(
            stderr=stderr, markup=False, emoji=False, highlight=False, _environ=_Environment()
        )
        self.broken = False

    def render_str(self, text: str, **options: Any) -> Text:
        """Text of a str, whose control characters a `Text` would drop or pass on."""
        return super().render_str(one_line(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Segments of anything; what reached it without `render_str` is escaped here."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)

    def write(self, text: str) -> None:
        """Write data for a program: as it is, but for control characters on a terminal."""
        if self.quiet:
            return
        file: IO[str] = self.file
        try:
            file.write(printable(text) if self.is_terminal else text)
            file.flush()
        except BrokenPipeError:
            self.on_broken_pipe()

    def can_encode(self, text: str) -> bool:
        """Whether the stream has these letters."""
        try:
            text.encode(getattr(self.file, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def on_broken_pipe(self) -> None:
        """Print no more; whoever runs the command ends with the status that says so."""
        self.quiet = self.broken = True
        discard(self.file)

    def begin(self) -> None:
        """Print again, for a new command line of the same process."""
        self.quiet = self.broken = False


def discard(stream: IO[str] | None) -> None:
    """Let a stream that cannot be written lead nowhere, so that no flush of it fails again."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno() if stream else -1)
        os.close(null)
    except (OSError, ValueError):  # it is no real file, so nothing will be flushed to it
        return


class _Environment(Mapping[str, str]):
    """The environment without sizes of a terminal that are no size."""

    def __getitem__(self, name: str) -> str:
        value = os.environ[name]
        if name in {"COLUMNS", "LINES"} and not is_size(value):
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in os.environ if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def is_size(text: str) -> bool:
    """Whether a terminal can have so many columns or lines, as the environment states them."""
    return text.isascii() and text.isdecimal() and int(text[:9]) > 0
