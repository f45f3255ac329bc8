"""Calibrations in the tags of TIFF files: of ImageJ, and of Gatan's export."""

from typing import Any

from crystalvision.contracts import Axis, Facts
from crystalvision_readers._microscopy import (
    Scale,
    electron_facts,
    image_axes,
    is_printed,
    known_units,
)

_X_UNIT, _Y_UNIT, _X_ORIGIN, _Y_ORIGIN, _X_SCALE, _Y_SCALE = (
    65003,
    65004,
    65006,
    65007,
    65009,
    65010,
)
_PRINT = (
    "states its pixels in {}, a size on the screen or of a print, which says nothing of a pattern"
)


def calibration(
    file: Any, page: Any, grid: tuple[int, int]
) -> tuple[tuple[Axis, ...] | None, Facts, str]:
    """Axes of an image, facts and what to note, from its tags; no axes where they are of no use.

    Resolutions of a bare TIFF are those of a print, and are passed over.
    """
    scales = _gatan(page) or _imagej(file, page)
    if scales is None:
        return None, Facts(), ""
    axes, assumed = image_axes(grid, scales)
    if axes is not None:
        return axes, electron_facts(assumed=assumed), ""
    units = scales[1].units
    return None, Facts(), _PRINT.format(units) if is_printed(units) else ""


def _gatan(page: Any) -> tuple[Scale, Scale] | None:
    """Rows and columns as DigitalMicrograph writes them into private tags."""
    tags = page.tags
    if _X_SCALE not in tags or _Y_SCALE not in tags:
        return None

    def scale(unit: int, step: int, origin: int) -> Scale:
        units = _text(tags[unit].value) if unit in tags else ""
        size = _number(tags[step].value)
        zero = _number(tags[origin].value) if origin in tags else 0.0
        return Scale(size, units, -zero * size if zero else None)

    return scale(_Y_UNIT, _Y_SCALE, _Y_ORIGIN), scale(_X_UNIT, _X_SCALE, _X_ORIGIN)


def _imagej(file: Any, page: Any) -> tuple[Scale, Scale] | None:
    """Rows and columns as ImageJ writes them: pixels a unit, and the unit in the description."""
    known = file.imagej_metadata if file.is_imagej else None
    if not known:
        return None
    units = _text(known.get("unit", ""))
    if known_units(units) is None and not is_printed(units):
        return None
    tags = page.tags
    found = []
    for resolution, origin in (("YResolution", "yorigin"), ("XResolution", "xorigin")):
        if resolution not in tags:
            return None
        above, below = tags[resolution].value
        if not above or not below:
            return None
        step = float(below) / float(above)
        zero = _number(known.get(origin, 0.0))
        found.append(Scale(step, units, -zero * step if zero else None))
    return found[0], found[1]


def _number(value: Any) -> float:
    try:
        return float(value[0] if isinstance(value, tuple) else value)
    except (TypeError, ValueError):
        return 0.0


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-16-le" if b"\0" in value else "latin-1", "replace").strip("\0 ")
    text = str(value).strip("\0 ")
    # tifffile gives ImageJ's escapes of what is not ASCII as they stand.
    return text.replace("\\u00B5", "µ").replace("\\u00b5", "µ")
