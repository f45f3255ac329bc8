"""Images of counts, and what tests read of the files that hold them."""

import struct
import zlib

import numpy as np
import pytest
import tifffile

from crystalvision.errors import InputError
from crystalvision.measured_files import (
    open_pattern_file,
)

RNG = np.random.default_rng(5)
COUNTS = RNG.poisson(5, (24, 20)).astype(np.uint16)
STACK = np.stack([COUNTS, COUNTS + 1, COUNTS + 2])
BYTES = COUNTS.astype(np.uint8)
GREY = {"photometric": "minisblack"}


def read(path, channels=1, chosen=None):
    """All patterns of a file, and its notes."""
    with open_pattern_file(
        path, channels, None if chosen is None else lambda _count: chosen
    ) as file:
        images = [file.read(place) for place in range(len(file))]
        return images, " ".join(file.notes)


def refused(path, **settings):
    with pytest.raises(InputError) as caught:
        read(path, **settings)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def save_pages(path, images):
    with tifffile.TiffWriter(path) as writer:
        for image in images:
            kind = "rgb" if image.ndim == 3 else "minisblack"
            writer.write(image, photometric=kind, contiguous=False)


def chunk(kind, body):
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
