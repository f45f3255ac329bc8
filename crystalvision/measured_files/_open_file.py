"""An open file as the toolkit hands it on: what its reader gives, checked."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from crystalvision.contracts import Frame, MeasuredFile, Reader, Recording, origin_of
from crystalvision.errors import PluginError
from crystalvision.measured_files._limits import check_size, decoding

Array = np.ndarray[Any, Any]

_MOST_FRAMES = 2**24
_CHECKED_FRAMES = 1000  # of a sequence that may make each when asked
_DARK = "has an image without a value above 0, of which the inputs log1p and sqrt leave nothing"


class OpenFile:
    """A measured file that is open.

    Attributes:
        path: The file.
        format: What it was read as, such as `XRDML`.
        frames: What it says of each of its patterns.
        scan: The grid along which they lie; see `MeasuredFile`.
        is_array: Likewise.
        notes: Likewise.
    """

    def __init__(self, path: Path, reader: Reader, file: MeasuredFile) -> None:
        """Take what a reader opened.

        Raises:
            PluginError: It is not what the contract asks for.
            ValueError: It holds nothing.
        """
        self._who = origin_of(reader, "reader")
        if not isinstance(file, MeasuredFile):
            raise PluginError(
                f"{self._who}: open() gave a {type(file).__name__}; expected a MeasuredFile"
            )
        self.path, self.format = path, reader.format
        self._reader, self._file = reader, file
        self.frames: Sequence[Frame] = file.frames
        self.scan, self.is_array, self.notes = file.scan, file.is_array, file.notes
        try:
            self._check_frames()
        except BaseException:
            file.close()
            raise

    def _check_frames(self) -> None:
        if not len(self.frames):
            raise ValueError("it holds no pattern")
        if len(self.frames) > _MOST_FRAMES:
            raise ValueError(f"it holds more than {_MOST_FRAMES:,} patterns; divide it")
        for number in range(min(len(self.frames), _CHECKED_FRAMES)):
            frame = self.frames[number]
            sized = len(frame.shape) - frame.dimensions in {0, 1} and min(frame.shape, default=0)
            axes = () if frame.axes is None else tuple(axis.size for axis in frame.axes)
            if sized < 1 or (frame.axes is not None and axes != frame.grid):
                raise PluginError(
                    f"{self._who}: a frame has shape {frame.shape} on {frame.dimensions} "
                    f"dimensions, with axes of {axes}; expected (*grid) or (c, *grid)"
                )

    def read(self, number: int) -> Recording:
        """The numbers of a frame, of its shape, in this machine's byte order, and what was seen.

        Raises:
            InputError: They are damaged, or more than is read.
            PluginError: The reader gave something else.
        """
        frame = self.frames[number]
        check_size(self.path, frame.shape, np.dtype(frame.dtype).itemsize)
        with decoding(self.path, self._reader):
            found = self._file.read(number)
            if not isinstance(found, Recording) or not isinstance(found.counts, np.ndarray):
                raise PluginError(
                    f"{self._who}: read() gave a {type(found).__name__}; expected a Recording"
                )
            counts, seen = found.counts, found.seen
            if counts.shape != frame.shape or counts.dtype.newbyteorder("=").name != frame.dtype:
                raise ValueError(f"its header says {frame}, but its pixels are {counts.shape}")
            if seen is not None and (seen.dtype != np.bool_ or seen.shape != frame.grid):
                raise PluginError(
                    f"{self._who}: seen is {seen.dtype} {seen.shape}; expected bool {frame.grid}"
                )
            if frame.dimensions == 2 and not (counts > 0).any():
                self.notes[_DARK] = None
            return Recording(counts.astype(counts.dtype.newbyteorder("="), copy=True), seen)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()
