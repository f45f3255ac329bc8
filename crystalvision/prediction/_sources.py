"""Finds the patterns that a user names on the command line: files, stacks, datasets, arrays."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Conditions, Dataset
from crystalvision.errors import InputError
from crystalvision.image_files import (
    SUFFIXES,
    open_pattern_file,
    read_image_file,
    unread_suffix,
)
from crystalvision.ordinary_files import check_ordinary, text_of

_CHOSEN = re.compile(r"(?P<path>.+)\[(?P<index>[^\]]*)\]", re.DOTALL)
_INDEX = re.compile(r"[0-9]{1,18}")  # not isdigit, which also means ² and ٣
_EXPECTED = f"{', '.join(SUFFIXES)}, DATA.zarr or DATA.zarr[INDEX]"

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


def open_source(argument: str, image_shape: tuple[int, ...]) -> PatternSource:
    """Find the patterns that an argument names; they are not read yet.

    Args:
        argument: Path of a PNG, TIFF, NPY or MRC file with an image or several; path of a dataset,
            or of a Zarr array; or either with `[INDEX]` or `[FIRST:END]`.
        image_shape: Shape (c, h, w) of a pattern; its channels tell images from channels.

    Raises:
        InputError: No such file or pattern, or one that is no image.
    """
    path, chosen = _take_apart(argument)
    if not path.is_dir():
        return _of_file(path, chosen, image_shape[0])
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
    path, chosen = _take_apart(source)
    if chosen is None and path.is_dir():
        raise InputError(f"{source} is a folder; expected {_EXPECTED}")
    if chosen is None:
        return read_image_file(path)
    found = open_source(source, (1, 0, 0))
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
    if path.is_file() and path.suffix.lower() not in SUFFIXES:
        raise InputError(unread_suffix(path, ", DATA.zarr or DATA.zarr[INDEX]"))
    return path, chosen


def _of_file(path: Path, chosen: str | None, channels: int) -> PatternSource:
    def choose(count: int) -> range:
        return _choose(path, chosen or "", count)

    notes: dict[str, None] = {}
    choice = None if chosen is None else choose
    with open_pattern_file(path, channels, choice) as file:
        notes |= dict.fromkeys(file.notes)
        count = len(file)
        whole = chosen is None and file.alone
        names = [str(path)] if whole else [f"{path}[{number}]" for number in file.numbers]

    def read(places: Sequence[int]) -> Array:
        with open_pattern_file(path, channels, choice) as again:
            if len(again) != count:
                raise InputError(f"{path}: was changed while it was read; run again")
            images = np.stack([again.read(place) for place in places])
            notes.update(dict.fromkeys(again.notes))
        return images[:, 0] if channels == 1 else images

    return PatternSource(tuple(map(text_of, names)), read, path, notes=notes)


def _open_folder(path: Path) -> tuple[int, Callable[[Sequence[int]], Array], Dataset | None]:
    """A dataset of ours, or any Zarr array, which states nothing of how it was recorded."""
    import zarr

    if not (path / "zarr.json").is_file() and not (path / ".zarray").is_file():
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
