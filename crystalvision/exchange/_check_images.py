"""Checks all images of a listing before anything is written: first their headers, then pixels."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Int

from crystalvision.datasets import ImageType, Seen
from crystalvision.errors import InputError
from crystalvision.exchange._frames import Frames, expand
from crystalvision.exchange._listing import Listing
from crystalvision.measured_files import GapValues, PatternFile, fill_gaps, find_gaps, saturated

Array = np.ndarray[Any, Any]

# Stored in the next type that holds every value; negative ones are refused.
_STORED: dict[str, ImageType] = {
    "uint8": "uint16",
    "float16": "float32",
    "int8": "uint16",
    "uint16": "uint16",
    "int16": "uint16",
    "uint32": "uint32",
    "int32": "uint32",
    "float32": "float32",
}


_SATURATED = (
    "has pixels at {0}, the largest that its type holds: they saturated, or mark what was not "
    "measured; if so, give --gap-value {0}"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What all images have in common.

    Attributes:
        shape: (c, *grid).
        dtype: Type in which they are stored.
    """

    shape: tuple[int, ...]
    dtype: ImageType


def check_headers(
    frames: Frames, listing: Listing, channels: int | None, advance: Callable[[int], object]
) -> tuple[Kind, Listing]:
    """Check that all images have one shape and type, by their headers alone.

    Args:
        frames: Reads them.
        listing: The files.
        channels: Channels that the user says an image has.
        advance: Told of each file.

    Returns:
        What all have in common, and the listing with each image of each file.

    Raises:
        InputError: A file is no image, or differs from the first.
    """
    first: PatternFile | None = None
    numbers = []
    for name in listing.files:
        found = frames.patterns(name)
        if len(found) > 1 and channels is None and found.is_array:
            count = len(found)
            raise InputError(
                f"{frames.folder / name}: has shape {(count, *found.shape[1:])}, and nothing tells "
                f"whether that is {count} images or one of {count} channels; give --channels 1 or "
                f"--channels {count}"
            )
        first = first or found
        if (found.shape, found.dtype) != (first.shape, first.dtype):
            raise InputError(
                f"{frames.folder / name}: is {_words(found)}, but {listing.files[0]} is "
                f"{_words(first)}; all images must have one shape and type"
            )
        frames.note(name, found.notes)
        numbers.append(found.numbers)
        advance(1)
    if first is None:
        raise InputError(f"{frames.folder}: holds no images")
    return kind_of(first), expand(frames.folder, listing, numbers)


def kind_of(found: PatternFile) -> Kind:
    """Shape and type of the images of a file, as they are stored.

    Raises:
        InputError: They have a type that no dataset stores.
    """
    if found.dtype not in _STORED:
        raise InputError(
            f"{found.path}: holds {found.dtype}; expected integers of 8, 16 or 32 bits, or "
            "float32; convert all images, for example by image.astype('uint16')"
        )
    return Kind(found.shape, _STORED[found.dtype])


@dataclass(frozen=True, slots=True)
class Picture:
    """One image as it is stored.

    Attributes:
        counts: (c, *grid); 0 where nothing was measured.
        seen: Where something was measured in all channels, (1, *grid).
    """

    counts: Array
    seen: Array

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its pixels, little-endian, and of its gaps, if it has any."""
        little = np.ascontiguousarray(self.counts, self.counts.dtype.newbyteorder("<"))
        found = hashlib.sha256(little.tobytes())
        if not self.seen.all():
            found.update(np.packbits(self.seen).tobytes())
        return found.hexdigest()


class PictureReader(Protocol):
    """Reads one picture by its name, as it is stored."""

    @property
    def kind(self) -> Kind:
        """What all pictures have in common."""

    def __call__(self, frames: Frames, name: str) -> Picture:
        """Read a picture."""


@dataclass(frozen=True, slots=True)
class ImageReader:
    """Reads images.

    Attributes:
        kind: What they have in common.
        gap_values: What marks pixels that were not measured.
    """

    kind: Kind
    gap_values: GapValues

    def __call__(self, frames: Frames, name: str) -> Picture:
        """One image, as it is stored.

        Raises:
            InputError: It is not what its header said, or has values that are no counts.
        """
        return read_picture(frames, name, self.kind, self.gap_values)


def read_picture(frames: Frames, name: str, kind: Kind, gaps: GapValues) -> Picture:
    """One image, as it is stored.

    Raises:
        InputError: It is not what its header said, or has values that are no counts.
    """
    path = frames.folder / name
    found = frames.read(name)
    image = found.counts
    stored = _STORED.get(image.dtype.newbyteorder("=").name)
    if image.shape != kind.shape or stored is None or not np.can_cast(stored, kind.dtype):
        raise InputError(
            f"{path}: is {image.shape} {image.dtype}, which is not what its header said; leave the "
            "images alone while they are imported"
        )
    seen = ~np.asarray(find_gaps(image, gaps).any(axis=0, keepdims=True))
    if found.seen is not None:
        seen &= found.seen
        image = np.where(found.seen, image, image.dtype.type(0))
    image = fill_gaps(image, str(path), gaps)
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InputError(
            f"{path}: has values that are no finite numbers; repair the image, or leave it out"
        )
    if image.dtype.kind == "i" and image.size and image.min() < 0:
        raise InputError(
            f"{path}: has negative values down to {image.min():g}, which no type of counts holds; "
            "save it as float32, in which they are values"
        )
    largest = saturated(image)
    if largest is not None:
        frames.note(name, [_SATURATED.format(largest)])
    return Picture(image.astype(kind.dtype), seen)


def read_digests(
    frames: Frames,
    files: Sequence[str],
    read: PictureReader,
    advance: Callable[[int], object],
) -> tuple[list[str], Seen | None]:
    """Read every image and check its pixels.

    Returns:
        The digest of each, and which points were measured: one mask where all have the same.

    Raises:
        InputError: An image is damaged, or has values that are no counts.
    """
    digests: list[str] = []
    masks: list[Array] = []  # that differ; two are enough to know that they do
    for name in files:
        picture = read(frames, name)
        digests.append(picture.digest)
        if not masks or (len(masks) == 1 and not np.array_equal(picture.seen, masks[0])):
            masks.append(picture.seen)
        advance(1)
    return digests, _seen(masks)


def _seen(masks: list[Array]) -> Seen | None:
    if len(masks) > 1:
        return Seen(each_sample=True)
    if masks[0].all():
        return None
    try:
        return Seen.of(masks[0])
    except InputError:  # too broken up for a header
        return Seen(each_sample=True)


def specimens_of(folder: Path, listing: Listing, digests: list[str]) -> Int[np.ndarray, "n"]:
    """The specimen of each image, (n,).

    By default each file shows its own, but files with an image of the same pixels show one, so that
    no split has the twin of an image in another.

    Raises:
        InputError: The listing tells specimens, and gives two to the same pixels.
    """
    files = np.arange(len(digests)) if listing.file_numbers is None else listing.file_numbers
    joined = {int(file): int(file) for file in files}  # file → an earlier one of its specimen
    first: dict[str, int] = {}
    for row, digest in enumerate(digests):
        twin = first.setdefault(digest, row)
        if listing.specimens is not None and listing.specimens[twin] != listing.specimens[row]:
            raise InputError(
                f"{folder / listing.files[row]}: has the same pixels as {listing.files[twin]}, but "
                "is of another specimen; remove one, or give both one specimen"
            )
        one, other = sorted((_root(joined, int(files[twin])), _root(joined, int(files[row]))))
        joined[other] = one
    if listing.specimens is not None:
        return listing.specimens
    return np.array([_root(joined, int(file)) for file in files], dtype=np.int64)


def _root(joined: dict[int, int], file: int) -> int:
    """The first file of the specimen of a file."""
    while joined[file] != file:
        file = joined[file]
    return file


def _words(found: PatternFile) -> str:
    shape = found.shape[1:] if found.shape[0] == 1 else found.shape
    return f"{'×'.join(map(str, shape))} {found.dtype}"
