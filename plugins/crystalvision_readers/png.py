"""PNG files: every chunk's checksum and the pixels' own are verified; W3C PNG, 3rd edition."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from crystalvision.contracts import Frame, MeasuredFile, Reader, Recording

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type; 3 is a palette
# First row and column, and steps between rows and columns, of each pass of Adam7.
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
_ADAM7_LAST = (1, 0, 2, 1)
_GAMMA = {b"gAMA", b"iCCP", b"sRGB", b"cICP"}
_ROTATED = "says that it is to be turned for viewing; pixels are read as they are stored"
_CURVE = "names a gamma or a colour profile, which is not applied: values are read as stored"


class Png(Reader):
    """A PNG image of 8 or 16 bits."""

    format = "PNG"
    suffixes = (".png",)
    signatures = (b"\x89PNG\r\n\x1a\n",)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return PngFile(path)


class PngFile(MeasuredFile):
    """A PNG file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        with path.open("rb") as file:
            start = file.read(33)
        self.frames = (_frame(start),)

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        from PIL import Image

        frame = self.frames[number]
        pixels = self._verify(frame)
        with Image.open(self.path, formats=["PNG"]) as file:
            image = np.asarray(file)
        if pixels != image.size * image.itemsize:
            raise ValueError(f"it holds {pixels} bytes of pixels, not {image.nbytes}")
        return Recording(np.moveaxis(image, -1, 0) if image.ndim == 3 else image)

    def _verify(self, frame: Frame) -> int:
        """Check all checksums; gives the size of the pixels [bytes].

        Raises:
            ValueError: A checksum is wrong, or something is missing or not read.
        """
        content = self.path.read_bytes()
        compressed = bytearray()
        kinds = set()
        for kind, body in _chunks(content):
            kinds.add(kind)
            if kind == b"IDAT":
                compressed += body
            elif kind == b"eXIf" and _is_turned(body):
                self.notes[_ROTATED] = None
        if b"acTL" in kinds:
            raise ValueError("it is animated, of several images; save each as a file of its own")
        if b"tRNS" in kinds:
            raise ValueError("it calls some values transparent; save it without transparency")
        if kinds & _GAMMA:
            self.notes[_CURVE] = None
        rows = _rows(content, frame)
        expected = sum(height * (1 + width) for height, width in rows)
        stream = zlib.decompressobj()
        found = len(stream.decompress(bytes(compressed), expected + 1))
        if found != expected or not stream.eof:
            raise ValueError(f"its pixels take {expected} bytes, but it holds another number")
        return expected - sum(height for height, _ in rows)


def _frame(start: bytes) -> Frame:
    """What the header says; PNG specification, 11.2.1."""
    if len(start) < 33 or not start.startswith(_SIGNATURE) or start[12:16] != b"IHDR":
        raise ValueError("it does not begin as one")
    if zlib.crc32(start[12:29]) != int.from_bytes(start[29:33], "big"):
        raise ValueError("the checksum of its header is wrong: it is damaged")
    width, height = (int.from_bytes(start[place : place + 4], "big") for place in (16, 20))
    depth, colour = start[24], start[25]
    if colour == 3:
        raise ValueError("it has a palette of colours; expected counts")
    if colour not in _CHANNELS or depth not in {8, 16}:
        raise ValueError(f"it has {depth} bits a channel; expected 8 or 16, which are read exactly")
    channels = _CHANNELS[colour]
    if depth == 16 and channels > 1:
        raise ValueError(
            "it has several channels of 16 bits, of which only 8 would be read; save it as TIFF"
        )
    shape = (height, width) if channels == 1 else (channels, height, width)
    return Frame(shape, f"uint{depth}")


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk; PNG specification, 5.3."""
    place = len(_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        size = int.from_bytes(content[place : place + 4], "big")
        end = place + 8 + size
        if end + 4 > len(content):
            raise ValueError("it is cut short")
        kind, body = content[place + 4 : place + 8], content[place + 8 : end]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(content[end : end + 4], "big"):
            raise ValueError(f"the checksum of its part {kind!r} is wrong: it is damaged")
        yield kind, body
        place = end + 4


def _rows(content: bytes, frame: Frame) -> list[tuple[int, int]]:
    """Rows, and bytes of a row, of each pass of the pixels."""
    height, width = frame.shape[-2:]
    pixel = np.dtype(frame.dtype).itemsize * (frame.shape[0] if len(frame.shape) == 3 else 1)
    if content[28] == 0:
        return [(height, width * pixel)]
    rows = []
    for row, column, down, right in (*_ADAM7, _ADAM7_LAST):
        passed = -(-(height - row) // down), -(-(width - column) // right)
        if min(passed) > 0:
            rows.append((passed[0], passed[1] * pixel))
    return rows


def _is_turned(exif: bytes) -> bool:
    from PIL import Image

    found = Image.Exif()
    found.load(exif)
    return bool(found.get(0x0112, 1) != 1)
