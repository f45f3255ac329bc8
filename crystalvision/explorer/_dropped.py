"""Files that were dropped onto a page."""

import secrets
from pathlib import Path
from tempfile import TemporaryDirectory


class DroppedFiles:
    """Keeps copies of dropped files as long as their page is there."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._folder = TemporaryDirectory(prefix="crystalvision-")

    def keep(self, name: str, content: bytes) -> Path:
        """A copy under its own name, which is all that a browser tells of where it was."""
        plain = Path(name.replace("\\", "/")).name or "file"
        # Another file of that name is another file: nothing that was read is taken for it.
        folder = Path(self._folder.name) / secrets.token_hex(4)
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
        if isinstance(value, str) and value.startswith(self._folder.name):
            return Path(value).name
        return value
