"""TIFF files: every page and series, of whatever kind of TIFF."""

import logging
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Frame, MeasuredFile, Reader, Recording
from crystalvision.measured_files import Array, check_size
from crystalvision_readers._tiff_tags import calibration

_NONE, _LZW, _DEFLATE, _PACKBITS = 1, 5, {8, 32946}, 32773
_LOSSLESS = {_NONE, _LZW, _PACKBITS, *_DEFLATE, 34925, 50000}  # with LZMA and Zstandard
_LOSSY = {6, 7, 34892}  # JPEG, old and new, and that of DNG
_GREY, _RGB, _WHITE_IS_ZERO, _PALETTE = 1, 2, 0, 3
_MAX_FRAMES = 2**16
# What tifffile says where it goes on with zeros, or with what it could make of a damaged file.
_SERIOUS = ("issing", "corrupt", "invalid", "incomplete", "out of range", "raised", "failed")
_ROTATED = "says that it is to be turned for viewing; pixels are read as they are stored"


@dataclass(frozen=True, slots=True)
class _FrameLocation:
    """Where the pixels of a frame are: a page, or a part of a series that is no page of its own."""

    series: Any
    number: int
    page: Any


class Tiff(Reader):
    """Every page and series of a TIFF file."""

    format = "TIFF"
    suffixes = (".tif", ".tiff")
    signatures = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return TiffFile(path)


class TiffFile(MeasuredFile):
    """A TIFF file; TIFF 6.0, and what ImageJ and OME write."""

    def __init__(self, path: Path) -> None:
        import tifffile

        super().__init__()
        self.path = path
        self._stream = path.open("rb")
        try:
            with _noted(self.notes):
                self._file = tifffile.TiffFile(self._stream, _multifile=False)
                found = list(self._find())
        except BaseException:
            self._stream.close()
            raise
        self._places = [place for place, _ in found]
        self.frames = tuple(frame for _, frame in found)
        self._whole: tuple[Any, Array] | None = None
        self._planes: Array | None = None
        self.is_array = self._is_planar()
        if self.is_array:
            count, *one = self.frames[0].shape
            self.frames = (replace(self.frames[0], shape=tuple(one)),) * count

    def close(self) -> None:
        """See `MeasuredFile.close`."""
        self._whole = self._planes = None
        self._file.close()
        self._stream.close()

    def _is_planar(self) -> bool:
        """Whether it is one image with its channels one after another.

        So tifffile writes a stack of three or four images, unless told that they are grey.
        """
        one = len(self._places) == 1 and len(self.frames[0].shape) == 3
        return bool(one and self._places[0].series.axes == "SYX")

    def _find(self) -> Iterator[tuple[_FrameLocation, Frame]]:
        """The images of all series, in the order of the pages."""
        found: list[tuple[int, _FrameLocation, Frame]] = []
        for order, series in enumerate(self._file.series):
            axes, shape = series.axes, tuple(map(int, series.shape))
            inner = 3 if axes.endswith(("YXS", "SYX")) else 2
            if not axes.endswith(("YX", "YXS")):
                raise ValueError(f"its axes are {axes}; expected images of rows and columns")
            count = math.prod(shape[:-inner])
            if len(found) + count > _MAX_FRAMES:
                raise ValueError(f"it holds more than {_MAX_FRAMES:,} images; divide it")
            one = shape[-inner:]
            if axes.endswith("YXS"):
                one = (one[-1], *one[:-1])
            one = one[1:] if len(one) == 3 and one[0] == 1 else one
            _check_kind(series.keyframe)
            dtype = np.dtype(series.dtype).newbyteorder("=").name
            grid = (one[-2], one[-1])
            axes_, facts, note = calibration(self._file, series.keyframe, grid)
            if note:
                self.notes[note] = None
            pages = list(series.pages) if len(series.pages) == count else [None] * count
            for number, page in enumerate(pages):
                index = order if page is None else page.index
                reduced = bool(series.keyframe.is_reduced)
                frame = Frame(one, dtype, reduced, axes=axes_, facts=facts)
                found.append((index, _FrameLocation(series, number, page), frame))
            turned = series.keyframe.tags.get("Orientation")
            if turned is not None and turned.value != 1:
                self.notes[_ROTATED] = None
        if not found:
            raise ValueError("it holds no image")
        found.sort(key=lambda each: each[0])
        return ((place, frame) for _, place, frame in found)

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        return Recording(self._plane(number))

    def _plane(self, number: int) -> Array:
        if not self.is_array:
            return self._image(number, self.frames[number])
        if self._planes is None:
            frame = self.frames[0]
            shape = (len(self.frames), *frame.shape)
            check_size(self.path, shape, np.dtype(frame.dtype).itemsize)
            self._planes = self._image(0, Frame(shape, frame.dtype))
        plane: Array = self._planes[number]
        return plane

    def _image(self, number: int, frame: Frame) -> Array:
        place = self._places[number]
        with _noted(self.notes):
            if place.page is None:
                return self._of_series(place, frame)
            self._check_page(place.page)
            image = np.asarray(place.page.asarray())
        return self._arranged(image, place.series.keyframe, frame)

    def _of_series(self, place: _FrameLocation, frame: Frame) -> Array:
        """A frame of a series that is stored in one piece, as ImageJ stores large stacks."""
        series = place.series
        check_size(self.path, series.shape, np.dtype(series.dtype).itemsize)
        if series.keyframe.compression != _NONE:
            raise ValueError("its images are packed in one piece; save each as a page of its own")
        if self._whole is None or self._whole[0] is not series:
            self._whole = series, np.asarray(series.asarray())
        axes = 3 if series.axes.endswith(("YXS", "SYX")) else 2
        images = self._whole[1].reshape(-1, *self._whole[1].shape[-axes:])
        return self._arranged(images[place.number], series.keyframe, frame)

    def _arranged(self, image: Array, keyframe: Any, frame: Frame) -> Array:
        """The pixels with the channels in front."""
        if image.ndim == 3 and keyframe.axes.endswith("YXS"):
            image = np.moveaxis(image, -1, 0)
        return image.reshape(frame.shape)

    def _check_page(self, page: Any) -> None:
        """Check that all parts of a page are there, each of the size that it must have.

        Raises:
            ValueError: One is missing, beyond the end of the file, or damaged.
        """
        keyframe = page.keyframe
        size = self.path.stat().st_size
        offsets, counts = page.dataoffsets, page.databytecounts
        if len(offsets) == len(counts) == 1 and keyframe.compression == _NONE:
            counts = (keyframe.nbytes if keyframe.is_contiguous else counts[0],)
        elif not len(offsets) == len(counts) == math.prod(keyframe.chunked):
            raise ValueError(f"it has {len(offsets)} of {math.prod(keyframe.chunked)} parts")
        for offset, count in zip(offsets, counts, strict=True):
            if count <= 0 or offset <= 0 or offset + count > size:
                raise ValueError("a part of its pixels is missing")
        if keyframe.compression in _DEFLATE:
            largest = math.prod(keyframe.chunks) * np.dtype(keyframe.dtype).itemsize
            for offset, count in zip(offsets, counts, strict=True):
                self._check_deflated(offset, count, largest)

    def _check_deflated(self, offset: int, count: int, largest: int) -> None:
        """Check that a part unpacks to no more than it may, and to what its checksum says."""
        self._file.filehandle.seek(offset)
        stream = zlib.decompressobj()
        found = stream.decompress(self._file.filehandle.read(count), largest + 1)
        if len(found) > largest or not stream.eof:
            raise ValueError("a part of its pixels unpacks to another size than it must")


def _check_kind(page: Any) -> None:
    """Refuse pages whose pixels would not be read as they were measured.

    Raises:
        ValueError: Compression, colours or an order of greys that is not read.
    """
    compression, photometric = int(page.compression), int(page.photometric)
    name = getattr(page.compression, "name", str(compression))
    if compression in _LOSSY:
        raise ValueError(
            "it is compressed by JPEG, which changes counts; save what was measured without it"
        )
    if compression not in _LOSSLESS:
        raise ValueError(
            f"it is compressed by {name}, which is not read; save it without compression, or with "
            "deflate or LZW"
        )
    if photometric == _WHITE_IS_ZERO:
        raise ValueError(
            "it says that 0 is white, so that larger values are darker; save it with 0 as black"
        )
    if photometric not in {_GREY, _RGB, 32803, 34892}:
        kind = getattr(page.photometric, "name", str(photometric)).lower()
        raise ValueError(f"it is a picture in colours ({kind}); expected counts")


class _DamagedError(BaseException):
    """What tifffile says of a damaged file; no `Exception`, which it would catch and go on."""


class _Listener(logging.Handler):
    """Stops tifffile where it would go on with a damaged file, and keeps what else it says."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take one message."""
        text = record.getMessage().split("> ", 1)[-1]
        if record.levelno >= logging.ERROR or any(word in text for word in _SERIOUS):
            raise _DamagedError(text)
        self.texts[text] = None


@contextmanager
def _noted(notes: dict[str, None]) -> Iterator[None]:
    """Make errors of what tifffile logs of a damaged file, and notes of the rest."""
    logger, listener = logging.getLogger("tifffile"), _Listener()
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(listener)
    try:
        yield
    except _DamagedError as error:
        raise ValueError(f"it is damaged: {error}") from error
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagate
    notes.update({f"is no plain TIFF ({text:.120})": None for text in listener.texts})
