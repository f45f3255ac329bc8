"""EMD files: of the National Center for Electron Microscopy (and py4DSTEM), and of Velox."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Frame, MeasuredFile, Reader
from crystalvision.json_text import parse_json
from crystalvision_readers._hdf5 import (
    SIGNATURE,
    evenly,
    groups_of,
    hdf5_images,
    is_images,
    number_of,
    text_of,
)
from crystalvision_readers._microscopy import (
    Scale,
    Stack,
    electron_facts,
    image_axes,
    is_reciprocal,
)

_MOST_METADATA = 2**22


class Emd(Reader):
    """Images and scans in EMD files."""

    format = "EMD"
    suffixes = (".emd",)
    signatures = (SIGNATURE,)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return hdf5_images(path, _stacks, "it holds no image of numbers")


def _stacks(file: Any) -> list[Stack]:
    velox = file.get("Data/Image")
    return _berkeley(file) if velox is None else _velox(velox)


def _velox(images: Any) -> list[Stack]:
    """Images of Velox: rows, columns and frames, with metadata in JSON."""
    found = []
    for name in images:
        group = images[name]
        data = group.get("Data")
        if data is None or not is_images(data) or len(data.shape) != 3:
            continue
        metadata = _metadata(group.get("Metadata"))
        frame = _velox_frame(data, metadata)
        found.append(Stack(data, frame, (0, 1)))
    return found


def _metadata(dataset: Any) -> Mapping[str, Any]:
    """The metadata of the first frame: JSON in a column of bytes."""
    if dataset is None or len(dataset.shape) != 2 or dataset.shape[0] > _MOST_METADATA:
        return {}
    content = bytes(np.asarray(dataset[:, 0], dtype=np.uint8)).rstrip(b"\0")
    try:
        found = parse_json(content.decode("utf-8", "replace"), finite=False)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _velox_frame(data: Any, metadata: Mapping[str, Any]) -> Frame:
    def value(*path: str) -> Any:
        found: Any = metadata
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def number(*path: str) -> float | None:
        return number_of(value(*path))

    voltage = number("Optics", "AccelerationVoltage")
    length = number("Optics", "CameraLength")
    energy = None if voltage is None else voltage / 1e3
    scales = []
    for across, place in (("height", 0), ("width", 1)):
        step = number("BinaryResult", "PixelSize", across)
        unit = text_of(value("BinaryResult", "PixelUnitY" if place == 0 else "PixelUnitX"))
        scales.append(Scale(step or 0.0, unit))
    axes, assumed = image_axes(data.shape[:2], scales, energy)
    facts = electron_facts(
        energy_kev=energy,
        time_s=number("Scan", "DwellTime") or _exposure(metadata),
        camera_length_mm=None if length is None else length * 1e3,
        assumed=assumed,
        instrument=text_of(value("Instrument", "InstrumentModel")),
        sample=text_of(value("Sample", "SampleId")),
        detector=text_of(value("BinaryResult", "Detector")),
    )
    dtype = data.dtype.newbyteorder("=").name
    return Frame(tuple(map(int, data.shape[:2])), dtype, axes=axes, facts=facts)


def _exposure(metadata: Mapping[str, Any]) -> float | None:
    """Exposure of the first detector that has one [s]."""
    detectors = metadata.get("Detectors")
    if not isinstance(detectors, dict):
        return None
    times = (one.get("ExposureTime") for one in detectors.values() if isinstance(one, dict))
    return next((found for found in map(number_of, times) if found is not None), None)


def _berkeley(file: Any) -> list[Stack]:
    """Groups of data with a dataset `dimN` for each of their dimensions."""
    found = []
    for name, item in groups_of(file):
        if not hasattr(item, "attrs") or "emd_group_type" not in item.attrs:
            continue
        data = item.get("data")
        if data is None or not is_images(data):
            continue
        scales = [_dimension(item, number + 1, size) for number, size in enumerate(data.shape)]
        grid = (len(scales) - 2, len(scales) - 1)
        if len(scales) == 4 and all(is_reciprocal(one.units) for one in scales[:2]):
            grid = (0, 1) if not is_reciprocal(scales[3].units) else grid
        energy = _energy(file)
        shape = (int(data.shape[grid[0]]), int(data.shape[grid[1]]))
        axes, assumed = image_axes(shape, [scales[one] for one in grid], energy)
        facts = electron_facts(energy_kev=energy, assumed=assumed)
        dtype = data.dtype.newbyteorder("=").name
        title = name.rsplit("/", 1)[-1]
        found.append(Stack(data, Frame(shape, dtype, axes=axes, facts=facts, title=title), grid))
    return found


def _dimension(group: Any, number: int, size: int) -> Scale:
    """Calibration of one dimension: the positions of its points, or of the first two."""
    dimension = group.get(f"dim{number}")
    if dimension is None or len(getattr(dimension, "shape", ())) != 1:
        return Scale(0.0, "")
    if dimension.dtype.kind not in "iuf" or dimension.shape[0] not in {2, size}:
        return Scale(0.0, "")
    even = evenly(dimension[()])
    if even is None or even[0] <= 0:
        return Scale(0.0, "")
    units = text_of(dimension.attrs.get("units"))
    # A first point at zero says of a pattern only that nobody looked for the direct beam.
    offset = even[1] if even[1] != 0 or not is_reciprocal(units) else None
    return Scale(even[0], units, offset)


def _energy(file: Any) -> float | None:
    """Energy of the beam, where the microscope's group has it [keV]."""
    group = file.get("microscope")
    voltage = None if group is None else number_of(group.attrs.get("voltage"))
    if voltage is None:
        return None
    return voltage / 1e3 if voltage > 5e3 else voltage
