"""Files that were dropped onto a page."""

import re
import secrets
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import panel as pn


def when_dropped(field: pn.widgets.FileInput, take: Callable[[str, bytes], None]) -> None:
    """Call `take(name, content)` for each file that is dropped onto a field.

    Also for one that is empty, and for one that differs from the last one in its name alone.
    """

    def heard(*events: object) -> None:
        del events
        if field.filename:
            take(field.filename, field.value or b"")

    field.param.watch(heard, ["filename", "value"])


class DroppedFiles:
    """Keeps copies of dropped files as long as their page is there."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._folder: Path | None = None

    def keep(self, name: str, content: bytes) -> Path:
        """A copy under its own name, which is all that a browser tells of where it was."""
        plain = Path(name.replace("\\", "/")).name or "file"
        # Another file of that name is another file: nothing that was read is taken for it.
        folder = self._made() / secrets.token_hex(4)
        folder.mkdir()
        path = folder / plain
        path.write_bytes(content)
        return path

    def names(self, value: object) -> object:
        """A value in JSON types, with the name of each file instead of where its copy is."""
        if isinstance(value, dict):
            return {key: self.names(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.names(item) for item in value]
        if isinstance(value, str) and self._folder is not None:
            path = Path(value)
            return path.name if path.is_relative_to(self._folder) else value
        return value

    def plain(self, text: str) -> str:
        """A text in which each file has its own name, and not the place of its copy."""
        return text if self._folder is None else self._copies.sub("", text)

    def _made(self) -> Path:
        """The folder of the copies, which goes when this does."""
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="crystalvision-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            self._copies = re.compile(rf"{re.escape(str(self._folder))}[\\/][0-9a-f]+[\\/]")
        return self._folder
