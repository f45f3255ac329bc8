"""Finds the patterns that a user names on the command line: files, stacks, datasets, arrays."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Conditions, Dataset
from crystalvision.errors import InputError
from crystalvision.image_files import SUFFIXES, read_image_file

_CHOSEN = re.compile(r"(?P<path>.+)\[(?P<index>[^\]]*)\]")
_EXPECTED = f"{', '.join(SUFFIXES)}, DATA.zarr or DATA.zarr[INDEX]"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Patterns that one argument names.

    Attributes:
        names: What to call each of them, (n,).
        read: Reads those of some places, (m,) → (m, h, w) or (m, c, h, w).
        path: The file or folder that holds them.
        conditions: How they were recorded, as far as that is stated where they are.
    """

    names: Sequence[str]
    read: Callable[[Sequence[int]], Array]
    path: Path
    conditions: Conditions = field(default_factory=Conditions)

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.names)


def open_source(argument: str, image_shape: tuple[int, int, int]) -> Source:
    """Find the patterns that an argument names; large ones are not read yet.

    Args:
        argument: Path of a PNG, TIFF, NPY or MRC file with an image or a stack of images; path of a
            dataset, or of a Zarr array; or either with `[INDEX]` or `[FIRST:END]`.
        image_shape: Shape (c, h, w) of a pattern, which tells a stack from an image with channels.

    Raises:
        InputError: No such file or pattern, or one that is no image.
    """
    path, chosen, conditions = Path(argument), None, Conditions()
    if not path.exists() and (match := _CHOSEN.fullmatch(argument)):
        path, chosen = Path(match["path"]), match["index"]
    if path.is_dir():
        count, read, conditions = _open_folder(path)
    elif path.is_file() and path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: images of type '{path.suffix}' are not read; use {_EXPECTED}")
    elif path.is_file():
        image = read_image_file(path)
        if chosen is None and not _is_stack(image, image_shape):
            return Source((str(path),), lambda _places: image[None], path)
        count, read = _in_memory(image, path)
    else:
        raise InputError(f"{argument}: no such file")
    numbers = range(count) if chosen is None else _choose(path, chosen, count)
    names = tuple(f"{path}[{number}]" for number in numbers)
    return Source(
        names, lambda places: read([numbers[place] for place in places]), path, conditions
    )


def read_image(source: str) -> Array:
    """Read one pattern.

    Args:
        source: Path of a PNG, TIFF, NPY or MRC file, or `DATA.zarr[INDEX]` for one pattern of a
            dataset or of a Zarr array.

    Returns:
        (h, w), or (c, h, w) where there are several channels.

    Raises:
        InputError: No such file or pattern, or one that is no image.
    """
    path = Path(source)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return read_image_file(path)
    if path.is_dir():
        raise InputError(f"{source} is a folder; expected {_EXPECTED}")
    found = open_source(source, (0, 0, 0))
    if len(found) != 1:
        raise InputError(f"{source} names {len(found)} patterns; expected one")
    return np.asarray(found.read([0])[0])


def _is_stack(image: Array, image_shape: tuple[int, int, int]) -> bool:
    """Whether an array holds several patterns of the expected shape."""
    if image.ndim == 4:
        return True
    return image.ndim == 3 and image_shape[0] == 1 and image.shape[1:] == image_shape[1:]


def _in_memory(images: Array, path: Path) -> tuple[int, Callable[[Sequence[int]], Array]]:
    if images.ndim not in {3, 4} or not len(images):
        raise InputError(
            f"{path} has shape {images.shape}; expected a stack of images to choose of"
        )
    return len(images), lambda numbers: images[list(numbers)]


def _open_folder(path: Path) -> tuple[int, Callable[[Sequence[int]], Array], Conditions]:
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
            Conditions.of_dataset(dataset),
        )
    # Before anything is read: arrays of objects may be pickles, which execute code.
    if opened.dtype.kind not in "uif":
        raise InputError(f"{path} has values of type {opened.dtype}; expected real numbers")
    if opened.ndim == 2:
        return 1, lambda _numbers: _read_part(path, opened, ...)[None], Conditions()
    count = opened.shape[0] if opened.ndim in {3, 4} else 0
    if not count:
        raise InputError(f"{path} has shape {opened.shape}; expected (n, h, w) or (n, c, h, w)")
    return (
        count,
        lambda numbers: np.stack([_read_part(path, opened, one) for one in numbers]),
        Conditions(),
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
    known = all(not part or part.isdigit() for part in (first, end))
    if separator and known:
        numbers = range(count)[int(first or 0) : int(end or count)]
        if numbers:
            return numbers
    elif not separator and first.isdigit() and int(first) < count:
        return range(int(first), int(first) + 1)
    raise InputError(
        f"{path}[{text}]: expected an index from 0 to {count - 1}, or FIRST:END within 0:{count}"
    )
