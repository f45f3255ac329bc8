"""Which images of a file are patterns: by the channels that a pattern has, and by choice."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from crystalvision.contracts import Frame, Recording
from crystalvision.errors import InputError
from crystalvision.measured_files._colours import grey_of_colours
from crystalvision.measured_files._open_file import Array, OpenFile

_ALPHA = {2, 4}  # channels of a picture of which the last is opacity
_OPAQUE = "has a channel of opacity, opaque all over, which is left out"
_SMALLER = "holds smaller copies of its images, which are left out"
_RATE = "holds counts per second of an unknown time, which are read as if they were counts"
_TIMED = "holds counts per second, which are multiplied with the counting time of {:g} s"
_STACK = "is {0}×{1}, read as {0} patterns of one channel"


class PatternFile:
    """The patterns of an open file.

    Attributes:
        path: The file.
        shape: Shape of a pattern, (c, *grid); of the first, where they are curves.
        dtype: numpy's name of the type of its values.
        numbers: The image of the file that each pattern is, or begins with, (n,).
        alone: Whether the file holds no more than this one pattern.
        is_array: As of the file.
    """

    def __init__(self, file: OpenFile, channels: int, chosen: Sequence[int] | None = None) -> None:
        """Find the patterns.

        Args:
            file: The file; it is closed with this.
            channels: Channels of a pattern.
            chosen: Images of the file to take; by default all, which must be alike.

        Raises:
            InputError: Images that differ, or that have other channels.
        """
        self._file = file
        self.path = file.path
        numbers = list(range(len(file.frames))) if chosen is None else list(chosen)
        if chosen is None and not all(frame.reduced for frame in file.frames):
            full = [number for number in numbers if not file.frames[number].reduced]
            if len(full) < len(numbers):
                file.notes[_SMALLER] = None
            numbers = full
        frame = check_alike(self.path, file.frames, numbers)
        self.dtype = frame.dtype
        self._take = 1
        found = frame.channels
        if found == 1 and len(numbers) == channels > 1:
            self._take, found = channels, channels
            numbers = numbers[:1]
        elif found == 1 == channels and len(numbers) > 1 and file.is_array:
            file.notes[_STACK.format(len(file.frames), "×".join(map(str, frame.shape)))] = None
        self._convert = found != channels
        if self._convert and not _is_picture(file, found, channels):
            raise InputError(_other_channels(self.path, frame, len(file.frames), channels))
        self.numbers = numbers
        self.alone = self._take == len(file.frames) or len(file.frames) == 1
        self.shape = (channels, *frame.grid)
        self.is_array = file.is_array

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of how the file was understood, so far."""
        return tuple(self._file.notes)

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.numbers)

    def frame(self, place: int) -> Frame:
        """What the file says of a pattern."""
        return self._file.frames[self.numbers[place]]

    def read(self, place: int) -> Array:
        """The numbers of a pattern, (c, *grid); see `record`."""
        return self.record(place).counts

    def record(self, place: int) -> Recording:
        """A pattern, (c, *grid), and what of it was measured, (*grid).

        Raises:
            InputError: It is damaged, or a picture in colours.
        """
        first = self.numbers[place]
        if self._take > 1:
            parts = [self._file.read(first + number) for number in range(self._take)]
            masks = [part.seen for part in parts if part.seen is not None]
            seen = np.logical_and.reduce(masks) if masks else None
            return Recording(np.stack([part.counts for part in parts]), seen)
        found = self._file.read(first)
        image, seen = found.counts, found.seen
        if self._convert:
            image = self._without_opacity(image)
            if len(image) != self.shape[0]:
                image, grey = self._grey(image)
                if grey is not None:
                    seen = grey if seen is None else seen & grey
        return Recording(
            self._counts(image.reshape(self.shape[0], *self._file.frames[first].grid), first), seen
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def _counts(self, image: Array, number: int) -> Array:
        """Counts of what was written as counts per second, where the counting time is known."""
        facts = self._file.frames[number].facts
        if facts.scale != "counts per second":
            return image
        if facts.time_s is None:
            self._file.notes[_RATE] = None
            return image
        self._file.notes[_TIMED.format(facts.time_s)] = None
        return image * facts.time_s

    def _without_opacity(self, image: Array) -> Array:
        if len(image) not in _ALPHA:
            return image
        if (image[-1] != np.iinfo(image.dtype).max).any():
            raise InputError(
                f"{self.path}: has pixels that are not opaque; save it without transparency"
            )
        self._file.notes[_OPAQUE] = None
        return image[:-1]

    def _grey(self, image: Array) -> tuple[Array, Array | None]:
        """One channel of a grey picture, and where it is grey."""
        found = grey_of_colours(image)
        if found is None:
            raise InputError(
                f"{self.path}: has {len(image)} channels, where {self.shape[0]} is expected, and "
                "is a picture in colours, which no map of colours tells the counts of; save what "
                f"was measured as grey, or give --channels {len(image)} to an import if each "
                "channel is data"
            )
        grey, seen, note = found
        self._file.notes[note] = None
        return grey, seen


def open_pattern_file(
    file: OpenFile, channels: int, choose: Callable[[int], Sequence[int]] | None = None
) -> PatternFile:
    """The patterns of an open file, which is closed where that fails; see `PatternFile`.

    Args:
        file: The file.
        channels: Channels of a pattern.
        choose: Gives the images to take of so many.
    """
    try:
        return PatternFile(file, channels, None if choose is None else choose(len(file.frames)))
    except BaseException:
        file.close()
        raise


def check_alike(path: Path, frames: Sequence[Frame], numbers: Sequence[int]) -> Frame:
    """Refuse images that differ; gives what they are. Curves may differ in their points.

    Raises:
        InputError: Two differ.
    """
    first = frames[numbers[0]]
    if first.dimensions == 1:
        return first
    for number in numbers[1:]:
        if frames[number].shape != first.shape or frames[number].dtype != first.dtype:
            raise InputError(
                f"{path}: holds images that differ: [{numbers[0]}] is {first}, [{number}] is "
                f"{frames[number]}; choose one, such as {path.name}[{number}], or by --page "
                f"{number} of an import"
            )
    return first


def _is_picture(file: OpenFile, found: int, channels: int) -> bool:
    """Whether the channels of a file may be those of a picture that can be read as asked for."""
    integers = np.dtype(file.frames[0].dtype).kind == "u"
    fits = (found, channels) in {(2, 1), (3, 1), (4, 1), (4, 3)}
    return fits and not file.is_array and integers


def _other_channels(path: Path, frame: Frame, count: int, channels: int) -> str:
    has = f"{count} images of {frame}" if count > 1 else str(frame)
    found = frame.channels
    return (
        f"{path}: has {found} channel{'s' * (found > 1)}, where {channels} "
        f"{'are' if channels > 1 else 'is'} expected: it holds {has}; save grey images as such, or "
        f"give --channels {found} to an import if each channel is data"
    )
