"""Images by name: a file, or one of several images of a file, `stack.tif[2]`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from crystalvision.contracts import Recording
from crystalvision.datasets import Column
from crystalvision.errors import InputError
from crystalvision.exchange._listing import Listing
from crystalvision.measured_files import OpenFile, PatternFile, Readers

PAGE = "page"
_PAGE_COLUMN = Column(dtype="int64", description="number of the image in its file, from 0")
_FRAME = re.compile(r"(?P<file>.+)\[(?P<number>[0-9]{1,9})\]", re.DOTALL)


class Frames:
    """Reads images by name; the last file stays open, for the next of its images.

    Attributes:
        folder: Where the images are.
        notes: How files were understood: note → files, once each.
        carried: How many curves were brought onto another axis than their own.
    """

    def __init__(
        self,
        folder: Path,
        channels: int,
        page: int | None,
        readers: Readers,
        reader: str | None = None,
    ) -> None:
        """Read images of a folder.

        Args:
            folder: Where they are.
            channels: Channels of an image.
            page: Which image of each file to take; by default all.
            readers: What reads files.
            reader: Name of the reader to use; by default the one that knows each file.
        """
        self.folder = folder
        self.notes: dict[str, dict[str, None]] = {}
        self._channels = channels
        self._page = page
        self._readers, self._reader = readers, reader
        self.carried = 0
        self._last: OpenFile | None = None

    def patterns(self, name: str) -> PatternFile:
        """What a name means: all images of a file, or one.

        Raises:
            InputError: There is no such image, or it is not what is expected.
        """
        file, number = frame_of(self.folder, name)
        path = self.folder / file
        if self._last is None or self._last.path != path:
            self.close()
            self._last = self._readers.open(path, self._reader)
        chosen = self._page if number is None else number
        if chosen is not None and chosen >= len(self._last.frames):
            raise InputError(
                f"{path}: has no image {chosen}; its images go from 0 to "
                f"{len(self._last.frames) - 1}"
            )
        return PatternFile(self._last, self._channels, None if chosen is None else [chosen])

    def read(self, name: str) -> Recording:
        """The image of a name, (c, *grid).

        Raises:
            InputError: It is damaged, or not what is expected.
        """
        found = self.patterns(name)
        image = found.record(0)
        self.note(name, found.notes)
        return image

    def note(self, name: str, notes: Sequence[str]) -> None:
        """Keep what is to be told of the file of an image."""
        path = str(self.folder / frame_of(self.folder, name)[0])
        for note in notes:
            self.notes.setdefault(note, {})[path] = None

    def close(self) -> None:
        """Close the file that is open."""
        if self._last is not None:
            self._last.close()
            self._last = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


def frame_of(folder: Path, name: str) -> tuple[str, int | None]:
    """The file that a name means, and which of its images; a file of just that name goes first."""
    found = _FRAME.fullmatch(name)
    if found is None or (folder / name).is_file():
        return name, None
    return found["file"], int(found["number"])


def expand(folder: Path, listing: Listing, numbers: Sequence[Sequence[int]]) -> Listing:
    """A listing with each image of each file as a sample, of the class of its file.

    Images of one file show one specimen unless the listing tells specimens: they are never in two
    splits.

    Args:
        folder: Where the files are.
        listing: The files.
        numbers: The images of each file that are samples; a single 0 for a file that has no more.

    Raises:
        InputError: The listing has a column `page` of its own.
    """
    if not any(len(each) > 1 for each in numbers):
        return listing
    if PAGE in listing.columns:
        raise InputError(
            f"{folder}: its labels.csv has a column '{PAGE}', which tells the images of a file "
            "here; rename it"
        )
    count = [len(each) for each in numbers]
    rows = np.repeat(np.arange(len(count)), count)
    files = [
        f"{name}[{number}]" if len(each) > 1 else name
        for name, each in zip(listing.files, numbers, strict=True)
        for number in each
    ]
    pages = np.array([number for each in numbers for number in each], dtype=np.int64)
    columns = {name: (column, values[rows]) for name, (column, values) in listing.columns.items()}
    note = (
        f"{folder}: {len(files):,} images in {len(count):,} files; those of one file count as one "
        "specimen, so they are never in two splits; labels.csv can tell specimens"
    )
    return replace(
        listing,
        files=tuple(files),
        labels=listing.labels[rows],
        severity=None if listing.severity is None else listing.severity[rows],
        specimens=None if listing.specimens is None else listing.specimens[rows],
        file_numbers=rows,
        columns={**columns, PAGE: (_PAGE_COLUMN, pages)},
        notes=(*listing.notes, *([note] if listing.specimens is None else [])),
    )
