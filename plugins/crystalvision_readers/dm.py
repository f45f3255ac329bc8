"""DM3 and DM4 files of Gatan's DigitalMicrograph; their tags are read by ncempy."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Facts, Frame, MeasuredFile, Reader
from crystalvision_readers._microscopy import (
    Scale,
    Stack,
    StackedFile,
    electron_facts,
    image_axes,
    is_reciprocal,
    known_units,
    on_disk,
)
from crystalvision_readers._ncempy import ncempy_io

# By DigitalMicrograph's numbers; complex ones, packed ones and colours are no counts.
_TYPES = {1: "<i2", 2: "<f4", 6: "u1", 7: "<i4", 9: "i1", 10: "<u2", 11: "<u4", 12: "<f8"}
_LIST = ".ImageList.{}."
_MICROSCOPE = "ImageTags.Microscope Info."


class DigitalMicrograph(Reader):
    """Images, series and scans of Gatan's DigitalMicrograph."""

    format = "DM3/DM4"
    suffixes = (".dm3", ".dm4")
    signatures = (b"\0\0\0\x03", b"\0\0\0\x04")

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        tags = _tags(path)
        stacks = []
        for number in _images(tags):
            of_image = _part(tags, _LIST.format(number))
            if _is_thumbnail(of_image):
                continue
            stacks.append(_stack(path, of_image))
        if not stacks:
            raise ValueError("it holds no image of counts")
        return StackedFile(stacks)


def _tags(path: Path) -> Mapping[str, Any]:
    """All tags, by their path.

    Raises:
        ValueError: The file ends before they do, or they are nested without end.
    """
    kind = _bounded()
    with path.open("rb") as stream, np.errstate(over="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more than 127 tags of one group, of which none is used
        try:
            tags: Mapping[str, Any] = dict(kind(stream).allTags)
        except RecursionError:
            raise ValueError("its tags are nested without end") from None
    return tags


@cache
def _bounded() -> Any:
    """Ncempy's reader of tags, which takes no more memory than the file has bytes."""
    base = ncempy_io("dm").fileDM

    class Bounded(base):  # type: ignore[misc, valid-type] # ncempy has no annotations
        def __del__(self) -> None:
            """Leave the file to who opened it."""

        def fromfile(self, stream: Any, *, dtype: Any, count: int) -> Any:
            kind, number = np.dtype(dtype), int(count)
            left = os.fstat(stream.fileno()).st_size - stream.tell()
            if number < 0 or number * kind.itemsize > left:
                raise ValueError("it is cut short")
            return np.frombuffer(stream.read(number * kind.itemsize), kind)

    return Bounded


def _images(tags: Mapping[str, Any]) -> list[int]:
    """Numbers of the images that the list of images has."""
    found = {
        int(name.split(".")[2])
        for name in tags
        if name.startswith(".ImageList.") and name.endswith(".ImageData.DataType")
    }
    return sorted(found)


def _part(tags: Mapping[str, Any], start: str) -> dict[str, Any]:
    """The tags of a group, by the rest of their path."""
    return {name[len(start) :]: tag for name, tag in tags.items() if name.startswith(start)}


def _is_thumbnail(of_image: Mapping[str, Any]) -> bool:
    """Whether an image is a picture in colours of another."""
    return int(of_image["ImageData.DataType"]) == 23


def _stack(path: Path, of_image: Mapping[str, Any]) -> Stack:
    """One image, series or scan."""
    kind = int(of_image["ImageData.DataType"])
    if kind not in _TYPES:
        raise ValueError(f"its data are of DigitalMicrograph's type {kind}; expected real numbers")
    dtype = np.dtype(_TYPES[kind])
    sizes: list[int] = []
    while (name := f"ImageData.Dimensions.{len(sizes) + 1}") in of_image:
        sizes.append(int(of_image[name]))
    if not 2 <= len(sizes) <= 4:
        raise ValueError(f"its data have {len(sizes)} dimensions; expected 2 to 4")
    scales = [_scale(of_image, number + 1) for number in range(len(sizes))]
    # The first of its dimensions runs fastest: it is the last of ours.
    start = of_image.get("ImageData.Data.arrayOffset")
    if start is None:
        raise ValueError("an image of it has no data")
    array = on_disk(str(path), dtype, int(start), tuple(reversed(sizes)))
    grid = _grid(scales)
    ours = tuple(len(sizes) - 1 - one for one in grid)
    facts = _facts(of_image)
    axes, assumed = image_axes(
        [sizes[one] for one in grid], [scales[one] for one in grid], facts.energy_kev
    )
    frame = Frame(
        (sizes[grid[0]], sizes[grid[1]]),
        dtype.newbyteorder("=").name,
        axes=axes,
        facts=_with(facts, assumed),
        title=str(of_image.get("Name", "")),
    )
    return Stack(array, frame, (ours[0], ours[1]))


def _grid(scales: list[Scale]) -> tuple[int, int]:
    """Which of its dimensions are rows and columns: those of a diffraction pattern, in a scan."""
    last_reciprocal = len(scales) == 4 and all(is_reciprocal(one.units) for one in scales[2:])
    return (3, 2) if last_reciprocal and not is_reciprocal(scales[0].units) else (1, 0)


def _scale(of_image: Mapping[str, Any], number: int) -> Scale:
    """Calibration of one dimension: its origin is the point where zero is."""
    start = f"ImageData.Calibrations.Dimension.{number}."
    scale = float(of_image.get(start + "Scale", 0.0))
    units = _text(of_image.get(start + "Units", ""))
    origin = float(of_image.get(start + "Origin", 0.0))
    known = known_units(units) is not None
    return Scale(scale, units, -origin * scale if known and origin else None)


def _text(value: Any) -> str:
    return str(value).replace("\0", "").strip()


def _facts(of_image: Mapping[str, Any]) -> Facts:
    def number(name: str) -> float | None:
        value = of_image.get(_MICROSCOPE + name)
        return float(value) if isinstance(value, (int, float, np.number)) else None

    voltage = number("Voltage")
    exposure = of_image.get("ImageTags.Acquisition.Parameters.High Level.Exposure (s)")
    if exposure is None:
        exposure = of_image.get("ImageTags.DataBar.Exposure Time (s)")
    return electron_facts(
        energy_kev=None if voltage is None else voltage / 1e3,
        time_s=None if exposure is None else float(exposure),
        camera_length_mm=number("STEM Camera Length"),
        instrument=_text(of_image.get(_MICROSCOPE + "Name", "")),
        sample=_text(of_image.get("ImageTags.Microscope Info.Items.1.Value", "")),
        mode=_text(of_image.get(_MICROSCOPE + "Imaging Mode", "")),
    )


def _with(facts: Facts, assumed: tuple[str, ...]) -> Facts:
    return replace(facts, assumed=(*facts.assumed, *assumed))
