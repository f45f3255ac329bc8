"""Checks all images of a listing before anything is written: first their headers, then pixels."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from crystalvision.datasets._header import ImageType
from crystalvision.errors import InputError
from crystalvision.exchange._listing import Listing
from crystalvision.image_files import ImageHeader, read_image_file, read_image_header

# Stored in the next type that holds every value; negative ones are refused.
_STORED: dict[str, ImageType] = {
    "uint8": "uint16",
    "int8": "uint16",
    "uint16": "uint16",
    "int16": "uint16",
    "uint32": "uint32",
    "int32": "uint32",
    "float32": "float32",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What all images have in common.

    Attributes:
        shape: (c, h, w).
        dtype: Type in which they are stored.
    """

    shape: tuple[int, int, int]
    dtype: ImageType


def check_headers(
    folder: Path, listing: Listing, channels: int, advance: Callable[[int], object]
) -> Kind:
    """Check that all images have one shape and type, by their headers alone.

    Args:
        folder: Where they are.
        listing: Which they are.
        channels: Channels that are expected.
        advance: Told of each.

    Raises:
        InputError: A file is no image, or differs from the first.
    """
    first = ImageHeader((), "")
    for name in listing.files:
        found = read_image_header(folder / name)
        if name == listing.files[0]:
            first = found
        elif found != first:
            raise InputError(
                f"{folder / name}: is {_words(found)}, but {listing.files[0]} is {_words(first)}; "
                "all images must have one shape and type"
            )
        advance(1)
    place = folder / listing.files[0]
    shape = (1, *first.shape) if len(first.shape) == 2 else first.shape
    if len(shape) != 3 or min(shape) < 1:
        raise InputError(f"{place}: has shape {first.shape}; expected (rows, columns)")
    if shape[0] != channels:
        raise InputError(
            f"{place}: has {shape[0]} channels, where {channels} is expected; save grey images as "
            f"such, or give --channels {shape[0]} if each channel is data"
        )
    if first.dtype not in _STORED:
        raise InputError(
            f"{place}: holds {first.dtype}; expected integers of 8, 16 or 32 bits, or float32; "
            "convert all images, for example by image.astype('uint16')"
        )
    return Kind((shape[0], shape[1], shape[2]), _STORED[first.dtype])


def read_as(folder: Path, name: str, kind: Kind) -> np.ndarray[Any, Any]:
    """One image, (c, h, w), as it is stored.

    Raises:
        InputError: It is not what its header said, or has values that are no counts.
    """
    path = folder / name
    image = read_image_file(path)
    if image.ndim == 2:
        image = image[None]
    stored = _STORED.get(image.dtype.newbyteorder("=").name)
    if image.shape != kind.shape or stored is None or not np.can_cast(stored, kind.dtype):
        raise InputError(
            f"{path}: is {image.shape} {image.dtype}, which is not what its header said; leave the "
            "images alone while they are imported"
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InputError(
            f"{path}: has values that are no finite numbers; repair the image, or leave it out"
        )
    if image.size and image.min() < 0:
        raise InputError(
            f"{path}: has negative values down to {image.min():g}; expected counts: subtract no "
            "background, or set what is negative to 0"
        )
    return image.astype(kind.dtype)


def read_digests(
    folder: Path, listing: Listing, kind: Kind, advance: Callable[[int], object]
) -> list[str]:
    """Read every image, check its pixels, and give the SHA-256 (hex) of each.

    Raises:
        InputError: An image is damaged, or has values that are no counts.
    """
    digests = []
    for name in listing.files:
        digests.append(digest_of(read_as(folder, name, kind)))
        advance(1)
    return digests


def digest_of(image: np.ndarray[Any, Any]) -> str:
    """SHA-256 (hex) of an image's pixels, little-endian."""
    little = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("<"))
    return hashlib.sha256(little.tobytes()).hexdigest()


def specimens_of(folder: Path, listing: Listing, digests: list[str]) -> Int[np.ndarray, "n"]:
    """The specimen of each image, (n,).

    By default each image shows its own, but images with the same pixels show one, so that no split
    has the twin of an image in another.

    Raises:
        InputError: The listing tells specimens, and gives two to the same pixels.
    """
    first: dict[str, int] = {}
    for row, digest in enumerate(digests):
        twin = first.setdefault(digest, row)
        if listing.specimens is not None and listing.specimens[twin] != listing.specimens[row]:
            raise InputError(
                f"{folder / listing.files[row]}: has the same pixels as {listing.files[twin]}, but "
                "is of another specimen; remove one, or give both one specimen"
            )
    if listing.specimens is not None:
        return listing.specimens
    return np.array([first[digest] for digest in digests], dtype=np.int64)


def _words(header: ImageHeader) -> str:
    return f"{'×'.join(map(str, header.shape))} {header.dtype}"
