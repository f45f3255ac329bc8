"""A file for HDF5, which crashes the process where a file that it closes cannot be written."""

import io
from typing import BinaryIO

Buffer = bytearray | memoryview


class CarefulFile:
    """Keeps the first error of writing to itself until it is asked for.

    What is written after that stays in memory, so that HDF5 closes in order; ask often, and close
    soon.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._place = 0
        self._error: OSError | None = None
        self._kept: list[tuple[int, bytes]] = []

    def check(self) -> None:
        """Raise the first error of writing, if there was one.

        Raises:
            OSError: The disk refused.
        """
        if self._error is not None:
            raise self._error

    def write(self, content: Buffer) -> int:
        """Write at the current place."""
        if self._error is None:
            try:
                self._file.seek(self._place)
                left = memoryview(content)
                while left:  # a disk that is nearly full takes a part
                    left = left[self._file.write(left) :]
            except OSError as error:
                self._error = error
        if self._error is not None:
            self._kept.append((self._place, bytes(content)))
        self._place += len(content)
        return len(content)

    def readinto(self, target: Buffer) -> int:
        """Read from the current place on, and zeros beyond the end."""
        start, size = self._place, len(target)
        self._file.seek(start)
        found = bytearray(self._file.read(size).ljust(size, b"\0"))
        for place, content in self._kept:
            low, high = max(place, start), min(place + len(content), start + size)
            if low < high:
                found[low - start : high - start] = content[low - place : high - place]
        target[:] = found
        self._place += size
        return size

    def read(self, size: int) -> bytes:
        """Read from the current place on, and zeros beyond the end."""
        target = bytearray(size)
        self.readinto(target)
        return bytes(target)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place, from the beginning or from the end."""
        if whence == io.SEEK_END:
            ends = [place + len(content) for place, content in self._kept]
            offset += max(self._file.seek(0, io.SEEK_END), *ends, 0)
        self._place = offset
        return offset

    def tell(self) -> int:
        """The current place."""
        return self._place

    def truncate(self, size: int) -> int:
        """Cut the file, or fill it up, to a size."""
        if self._error is None:
            try:
                self._file.truncate(size)
            except OSError as error:
                self._error = error
        return size

    def flush(self) -> None:
        """Do nothing: what is written is not buffered here."""
