"""SER files of TIA (FEI, Thermo Fisher); their headers are read by ncempy."""

from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Axis, Frame, MeasuredFile, Reader, Recording
from crystalvision_readers._microscopy import Scale, electron_facts, image_axes
from crystalvision_readers._ncempy import ncempy_io

_TYPES = {1: "u1", 2: "<u2", 3: "<u4", 4: "i1", 5: "<i2", 6: "<i4", 7: "<f4", 8: "<f8"}
_ELEMENT = np.dtype(
    [
        ("x_offset", "<f8"),
        ("x_scale", "<f8"),
        ("x_element", "<i4"),
        ("y_offset", "<f8"),
        ("y_scale", "<f8"),
        ("y_element", "<i4"),
        ("type", "<i2"),
        ("columns", "<i4"),
        ("rows", "<i4"),
    ]
)
_IMAGES = 0x4122
_MOST_FRAMES = 2**20
_HEAD = 22  # bytes up to the number of images
_RECIPROCAL = 1e3  # in metres no pixel is as large, and in 1/m none as small


class Ser(Reader):
    """Images and series of TIA."""

    format = "SER"
    suffixes = (".ser",)
    signatures = (b"II\x97\x01",)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return SerFile(path)


class SerFile(MeasuredFile):
    """A series of images, each with its own header."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._size = path.stat().st_size
        _check_count(path, self._size)
        head = _head(path)
        if int(head["DataTypeID"]) != _IMAGES:
            raise ValueError("it holds curves; expected images")
        self._offsets = [int(one) for one in head["DataOffsetArray"]]
        count = int(head["ValidNumberElements"])
        if len(self._offsets) < count or count > _MOST_FRAMES:
            raise ValueError(f"its header says {count:,} images, but it has {len(self._offsets):,}")
        if not count:
            raise ValueError("it holds no image")
        first = self._element(0)
        self.frames = (self._frame(first),) * count
        scan = [int(one["DimensionSize"]) for one in head["Dimensions"]][::-1]
        if len(scan) > 1 and int(np.prod(scan, dtype=object)) == count:
            self.scan = tuple(scan)

    def _element(self, number: int) -> Any:
        with self.path.open("rb") as file:
            file.seek(self._offsets[number])
            content = file.read(_ELEMENT.itemsize)
        if len(content) < _ELEMENT.itemsize or self._offsets[number] < 0:
            raise ValueError("it is cut short")
        return np.frombuffer(content, _ELEMENT)[0]

    def _frame(self, element: Any) -> Frame:
        if int(element["type"]) not in _TYPES:
            raise ValueError(f"its data are of the type {int(element['type'])}; expected numbers")
        shape = (int(element["rows"]), int(element["columns"]))
        if min(shape) < 1:
            raise ValueError(f"its header says {shape[0]}×{shape[1]} pixels")
        dtype = np.dtype(_TYPES[int(element["type"])])
        axes, units = _axes(element, shape)
        assumed = () if axes is None else (f"its calibration, of no named units, is in {units}",)
        facts = electron_facts(assumed=assumed)
        return Frame(shape, dtype.newbyteorder("=").name, axes=axes, facts=facts)

    def read(self, number: int) -> Recording:
        """See `MeasuredFile.read`."""
        element = self._element(number)
        frame = self._frame(element)
        dtype = np.dtype(_TYPES[int(element["type"])])
        start = self._offsets[number] + _ELEMENT.itemsize
        size = frame.shape[0] * frame.shape[1] * dtype.itemsize
        if start + size > self._size:
            raise ValueError("it is cut short")
        with self.path.open("rb") as file:
            file.seek(start)
            content = file.read(size)
        # Its first row is the lowest.
        return Recording(np.frombuffer(content, dtype).reshape(frame.shape)[::-1])


def _axes(element: Any, shape: tuple[int, int]) -> tuple[tuple[Axis, ...] | None, str]:
    """Axes of an image: its file has metres, or 1/m for diffraction, and does not say which.

    Rows are stored from the lowest, so that the last one is the first.
    """
    units = "1/m" if float(element["x_scale"]) > _RECIPROCAL else "m"
    offsets = [
        float(element[f"{one}_offset"] - element[f"{one}_element"] * element[f"{one}_scale"])
        for one in "yx"
    ]
    scales = [float(element[f"{one}_scale"]) for one in "yx"]
    offsets[0] = -(offsets[0] + (shape[0] - 1) * scales[0])
    both = [Scale(scale, units, offset) for scale, offset in zip(scales, offsets, strict=True)]
    axes, _ = image_axes(shape, both)
    return axes, units


def _check_count(path: Path, size: int) -> None:
    """Refuse a header that counts more images than the file can hold.

    Raises:
        ValueError: It does.
    """
    with path.open("rb") as file:
        start = file.read(_HEAD)
    if len(start) < _HEAD:
        raise ValueError("it is cut short")
    count = int.from_bytes(start[18:22], "little", signed=True)
    if not 0 <= 8 * count <= size:
        raise ValueError(f"its header says {count:,} images, more than it can hold")


def _head(path: Path) -> dict[str, Any]:
    """The header of the series."""
    module = ncempy_io("ser")
    file = module.fileSER(path)
    try:
        head: dict[str, Any] = dict(file.head)
    finally:
        file._file_hdl.close()
    return head
