"""Chooses the reader of a file, by its content and its name: the one place that does."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from crystalvision.config import Part, validate
from crystalvision.contracts import Reader, origin_of
from crystalvision.errors import InputError, PluginError
from crystalvision.measured_files._limits import decoding, kind_of, start_of
from crystalvision.measured_files._open_file import OpenFile
from crystalvision.ordinary_files import check_ordinary
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.yaml_text import parse_yaml

_PICTURE = "save what was measured, not a picture of it"
_CONVERT = "read it with its own library, and save the images with numpy.save"
_ADVICE = {
    **dict.fromkeys((".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic", ".pdf"), _PICTURE),
    **dict.fromkeys((".dm3", ".dm4", ".ser", ".emd", ".h5", ".hdf5", ".mib", ".blo"), _CONVERT),
    **dict.fromkeys((".emi", ".hspy", ".cbf", ".edf", ".img", ".nxs", ".raw", ".bin"), _CONVERT),
    ".npz": "save each of its arrays with numpy.save",
    ".gz": "unpack it",
    ".zip": "unpack it",
}


class Readers:
    """The readers that a catalogue offers."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        """Take those of a catalogue; by default of what is installed."""
        self._catalogue = catalogue or _installed(PluginSelection.from_environment())
        self._broken: list[str] = []

    @cached_property
    def _named(self) -> dict[str, Reader]:
        found: dict[str, Reader] = {}
        for name in self._catalogue.names("reader"):
            try:
                made = self._catalogue.create("reader", name)
                _check(made)
            except PluginError as error:  # one that cannot be had is no reason to read nothing
                self._broken.append(str(error))
                continue
            found[name] = made
        return found

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of all names that files may have."""
        known = (suffix for reader in self._named.values() for suffix in reader.suffixes)
        return tuple(sorted(set(known)))

    def reads(self, path: Path | str) -> bool:
        """Whether a file's name says that there is a reader for it."""
        return Path(path).name.lower().endswith(self.suffixes)

    def open(self, path: Path, reader: str | None = None) -> OpenFile:
        """Open a file and read what it says of its patterns.

        Args:
            path: The file.
            reader: Name of the reader to use, or `{name: NAME, OPTION: VALUE}`; by default the one
                that knows the file.

        Raises:
            InputError: No such file or reader, one that nobody reads, or one that is damaged.
        """
        check_ordinary(path)
        if path.is_dir():
            raise InputError(
                f"{path} is a folder; expected a measured file: {', '.join(self.suffixes)}"
            )
        if not path.is_file():
            broken = path.is_symlink()
            raise InputError(
                f"{path}: {'a link to a file that is not there' if broken else 'no such file'}"
            )
        chosen = self._choose(path) if reader is None else self._called(reader)
        with decoding(path, chosen):
            return OpenFile(path, chosen, chosen.open(path))

    def unread(self, path: Path, also: str = "") -> str:
        """What to say of a file whose type is not read."""
        suffix = path.suffix.lower()
        advice = f"; {_ADVICE[suffix]}" if suffix in _ADVICE else ""
        broken = f" ({self._broken[0]})" if self._broken else ""
        return (
            f"{path}: files of type '{path.suffix}' are not read; use {', '.join(self.suffixes)}"
            f"{also}{advice}{broken}"
        )

    def _called(self, text: str) -> Reader:
        """The reader of a name, or of `{name: NAME, OPTION: VALUE}`."""
        if text in self._named:
            return self._named[text]
        part = validate(Part, parse_yaml(text, "--reader"), "--reader")
        made: Reader = self._catalogue.create("reader", part.name, part.options)
        _check(made)
        return made

    def _choose(self, path: Path) -> Reader:
        """The reader that knows a file by name and content, or by one of them if that is plain."""
        start, name = start_of(path), path.name.lower()
        named = [one for one in self._named.values() if name.endswith(one.suffixes)]
        found = [one for one in named if one.recognises(start)]
        if not named:
            others = (one for one in self._named.values() if one.signatures)
            found = [one for one in others if one.recognises(start)]
            if not found:
                raise InputError(self.unread(path))
        if len(found) > 1:
            found = [one for one in found if one.signatures] or found
        if len(found) == 1:
            return found[0]
        if len(named) == 1:
            return named[0]  # which says what is wrong
        if len(found) > 1:
            raise InputError(
                f"{path}: several readers take it for theirs: {self._listed(found)}; say which by "
                "--reader"
            )
        kind = kind_of(start)
        begins = f"begins as {kind}" if kind else f"begins with {start[:16]!r}"
        raise InputError(
            f"{path}: {'is empty' if not start else begins}, which none of the readers of "
            f"'{path.suffix}' knows: {self._listed(named)}"
        )

    def _listed(self, readers: Sequence[Reader]) -> str:
        names = {id(reader): name for name, reader in self._named.items()}
        return ", ".join(f"{names[id(one)]} ({one.format})" for one in readers)


@lru_cache(1)
def _installed(selection: PluginSelection) -> Catalogue:
    return Catalogue.load(selection)


def _check(reader: Reader) -> None:
    """Check what a reader says of itself.

    Raises:
        PluginError: It is not what the contract asks for.
    """
    who = origin_of(reader, "reader")
    if not isinstance(reader.format, str) or not reader.format:
        raise PluginError(f"{who} has format={reader.format!r}; expected text, such as 'XRDML'")
    suffixes = reader.suffixes
    if not (
        isinstance(suffixes, tuple)
        and suffixes
        and all(isinstance(one, str) and one.startswith(".") and one.islower() for one in suffixes)
    ):
        raise PluginError(
            f"{who} has suffixes={suffixes!r}; expected a tuple of texts in lower case, such as "
            "('.xrdml',)"
        )
    if not (
        isinstance(reader.signatures, tuple)
        and all(isinstance(one, bytes) and one for one in reader.signatures)
    ):
        raise PluginError(
            f"{who} has signatures={reader.signatures!r}; expected a tuple of bytes, such as "
            "(b'RAW4',)"
        )
