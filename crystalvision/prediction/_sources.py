"""Finds the patterns that a user names on the command line: files, stacks, datasets, arrays."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Frame, Recording
from crystalvision.datasets import Conditions, Dataset
from crystalvision.errors import InputError
from crystalvision.measured_files import (
    OpenFile,
    PatternFile,
    Readers,
    files_of_folder,
    files_of_list,
    is_list,
    open_pattern_file,
    read_image_file,
    without_counts,
)
from crystalvision.ordinary_files import check_ordinary, text_of

_CHOSEN = re.compile(r"(?P<path>.+)\[(?P<index>[^\]]*)\]", re.DOTALL)
_INDEX = re.compile(r"[0-9]{1,18}")  # not isdigit, which also means ² and ٣
_EXPECTED = "a measured file, DATA.zarr or DATA.zarr[INDEX]"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class PatternSource:
    """Patterns that one argument names.

    Attributes:
        names: What to call each of them, (n,).
        read: Reads those of some places, (m,) → (m, *grid) or (m, c, *grid).
        seen: Reads which of their points were measured, (m, 1 or c, *grid); `None` where all were.
        path: The file or folder that holds them.
        conditions: How they were recorded, as far as that is stated where they are.
        notes: How its file was understood, as far as it has been read.
    """

    names: Sequence[str]
    read: Callable[[Sequence[int]], Array]
    path: Path
    conditions: Conditions = field(default_factory=Conditions)
    notes: dict[str, None] = field(default_factory=dict)
    seen: Callable[[Sequence[int]], Array | None] = lambda _places: None

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.names)


def open_source(
    argument: str, image_shape: tuple[int, ...], readers: Readers | None = None
) -> PatternSource:
    """Find the patterns that an argument names; they are not read yet.

    Args:
        argument: Path of a PNG, TIFF, NPY or MRC file with an image or several; path of a dataset,
            or of a Zarr array; or either with `[INDEX]` or `[FIRST:END]`.
        image_shape: Shape (c, *grid) of a pattern; its channels tell images from channels.
        readers: What reads files; by default what is installed.

    Raises:
        InputError: No such file or pattern, or one that is no image.
    """
    readers = readers or Readers()
    path, chosen = _take_apart(argument)
    if not path.is_dir():
        return _of_file(path, chosen, image_shape[0], readers)
    count, read, dataset = _open_folder(path)
    numbers = range(count) if chosen is None else _choose(path, chosen, count)
    names = tuple(f"{text_of(path)}[{number}]" for number in numbers)
    found = PatternSource(names, lambda places: read([numbers[place] for place in places]), path)
    if dataset is None:
        return found
    return replace(
        found,
        conditions=Conditions.of_dataset(dataset),
        seen=lambda places: dataset.seen([numbers[place] for place in places]),
    )


def open_sources(
    argument: str,
    image_shape: tuple[int, ...],
    readers: Readers | None = None,
    reader: str | None = None,
) -> list[PatternSource]:
    """Find all patterns that an argument names, those of each range of a file by themselves.

    Args:
        argument: As for `open_source`; or a folder of measured files, all of which are meant; or a
            CSV file with a column `file`, whose paths are relative to its folder.
        image_shape: As for `open_source`.
        readers: What reads files; by default what is installed.
        reader: Name of the reader to use; by default the one that knows each file.

    Raises:
        InputError: As for `open_source`, or a folder or list without measured files.
    """
    readers = readers or Readers()
    path, chosen = _take_apart(argument)
    if chosen is None and path.is_dir() and not _is_zarr(path):
        files = files_of_folder(path, readers)
    elif chosen is None and is_list(path):
        files = files_of_list(path)
    elif path.is_dir():
        return [open_source(argument, image_shape, readers)]
    else:
        return _of_measured_file(path, chosen, image_shape[0], readers, reader)
    return [
        source
        for file in files
        for source in _of_measured_file(file, None, image_shape[0], readers, reader)
    ]


def read_image(source: str) -> Array:
    """Read one pattern.

    Args:
        source: Path of a PNG, TIFF, NPY or MRC file, or either of these or `DATA.zarr` with
            `[INDEX]` for one image of it.

    Returns:
        (h, w), or (c, h, w) where there are several channels.

    Raises:
        InputError: No such file or pattern, or one that is no image.
    """
    readers = Readers()
    path, chosen = _take_apart(source)
    if chosen is None and path.is_dir():
        raise InputError(f"{source} is a folder; expected {_EXPECTED}")
    if chosen is None:
        return read_image_file(path, readers)
    found = open_source(source, (1, 0, 0), readers)
    if len(found) != 1:
        raise InputError(f"{source} names {len(found)} patterns; expected one")
    return np.asarray(found.read([0])[0])


def _take_apart(argument: str) -> tuple[Path, str | None]:
    """The path that an argument names, and what it chooses there."""
    path, chosen = Path(argument), None
    try:
        if not path.exists() and (match := _CHOSEN.fullmatch(argument)):
            path, chosen = Path(match["path"]), match["index"]
        there = path.exists()
    except OSError as error:  # a name that is too long, or in a folder that is closed
        reason = (error.strerror or "refused").lower()
        raise InputError(f"{argument:.200}: cannot be looked for: {reason}") from error
    if not there and not path.is_symlink():
        raise InputError(f"{argument}: no such file")
    check_ordinary(path)
    return path, chosen


def _of_file(
    path: Path,
    chosen: Sequence[int] | str | None,
    channels: int,
    readers: Readers,
    reader: str | None = None,
) -> PatternSource:
    """Patterns of a file: those of some numbers, those that a text chooses, or all."""

    def choose(count: int) -> Sequence[int]:
        return _choose(path, chosen, count) if isinstance(chosen, str) else chosen or range(count)

    def opened() -> PatternFile:
        choice = None if chosen is None else choose
        return open_pattern_file(path, channels, choice, readers=readers, reader=reader)

    notes: dict[str, None] = {}
    with opened() as file:
        count, first = len(file), file.frame(0)
        notes |= dict.fromkeys((*file.notes, *_assumptions(first)))
        whole = file.alone and not isinstance(chosen, str)
        names = [str(path)] if whole else [f"{path}[{number}]" for number in file.numbers]

    def records(places: Sequence[int]) -> list[Recording]:
        with opened() as again:
            if len(again) != count:
                raise InputError(f"{path}: was changed while it was read; run again")
            found = [again.record(place) for place in places]
            notes.update(dict.fromkeys(again.notes))
        return found

    def read(places: Sequence[int]) -> Array:
        # Whatever number stands where nothing was measured, such as nan, it is none.
        images = np.stack(
            [
                one.counts if one.seen is None else np.where(one.seen, one.counts, 0)
                for one in records(places)
            ]
        ).astype(first.dtype, copy=False)
        return images[:, 0] if channels == 1 else images

    def seen(places: Sequence[int]) -> Array | None:
        found = records(places)
        if all(record.seen is None for record in found):
            return None
        grid = found[0].counts.shape[1:]
        masks = [np.ones(grid, bool) if one.seen is None else one.seen for one in found]
        return np.stack(masks) if channels == 1 else np.stack(masks)[:, None]

    conditions = Conditions.of_frame(first)
    return PatternSource(tuple(map(text_of, names)), read, path, conditions, notes, seen)


def _assumptions(frame: Frame) -> list[str]:
    return [f"states less than is needed; taken to be so: {text}" for text in frame.facts.assumed]


def _of_measured_file(
    path: Path, chosen: str | None, channels: int, readers: Readers, reader: str | None
) -> list[PatternSource]:
    """Patterns of a file, which are curves of their own axes, or alike.

    Raises:
        InputError: As for `open_source`, or a curve that holds no counts.
    """
    with readers.open(path, reader) as file:
        frames = file.frames
        if frames[0].dimensions != 1:
            return [_of_file(path, chosen, channels, readers, reader)]
        numbers = range(len(frames)) if chosen is None else _choose(path, chosen, len(frames))
        for number in numbers:
            _check_curve(file, number)
    return [_of_file(path, [number], channels, readers, reader) for number in numbers]


def _check_curve(file: OpenFile, number: int) -> None:
    found = file.read(number)
    if what := without_counts(found.counts, found.seen):
        where = f"{file.path}[{number}]" if len(file.frames) > 1 else str(file.path)
        raise InputError(f"{where}: holds no counts: {what}; leave it out, or measure it again")


def _is_zarr(path: Path) -> bool:
    return (path / "zarr.json").is_file() or (path / ".zarray").is_file()


def _open_folder(path: Path) -> tuple[int, Callable[[Sequence[int]], Array], Dataset | None]:
    """A dataset of ours, or any Zarr array, which states nothing of how it was recorded."""
    import zarr

    if not _is_zarr(path):
        raise InputError(f"{path} is a folder; expected {_EXPECTED}")
    try:
        opened = zarr.open(str(path), mode="r")
    except Exception as error:  # zarr raises many kinds for what is damaged
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} cannot be opened as Zarr: {reason}") from error
    if not isinstance(opened, zarr.Array):
        dataset = Dataset.open(path)
        return (
            len(dataset),
            lambda numbers: np.asarray(dataset.images(np.array(numbers))),
            dataset,
        )
    # Before anything is read: arrays of objects may be pickles, which execute code.
    if opened.dtype.kind not in "uif":
        raise InputError(f"{path} has values of type {opened.dtype}; expected real numbers")
    if opened.ndim == 2:
        return 1, lambda _numbers: _read_part(path, opened, ...)[None], None
    count = opened.shape[0] if opened.ndim in {3, 4} else 0
    if not count:
        raise InputError(f"{path} has shape {opened.shape}; expected (n, h, w) or (n, c, h, w)")
    return (
        count,
        lambda numbers: np.stack([_read_part(path, opened, one) for one in numbers]),
        None,
    )


def _read_part(path: Path, opened: Any, part: Any) -> Array:
    """A part of a Zarr array.

    Raises:
        InputError: It is damaged.
    """
    try:
        return np.asarray(opened[part])
    except Exception as error:  # codecs raise many kinds for what is damaged
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} cannot be read: {reason}") from error


def _choose(path: Path, text: str, count: int) -> range:
    """The numbers that `[INDEX]` or `[FIRST:END]` names."""
    first, separator, end = text.partition(":")
    known = all(not part or _INDEX.fullmatch(part) for part in (first, end))
    if separator and known:
        numbers = range(count)[int(first or 0) : int(end or count)]
        if numbers:
            return numbers
    elif not separator and _INDEX.fullmatch(first) and int(first) < count:
        return range(int(first), int(first) + 1)
    raise InputError(
        f"{path}[{text}]: expected an index from 0 to {count - 1}, or FIRST:END within 0:{count}"
    )
