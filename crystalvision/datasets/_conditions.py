"""What is known of the instrument that patterns were recorded with: their axes, and the beam."""

from typing import Any, Self

import numpy as np

from crystalvision.contracts import Axis, Range, Recorded
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._header import DatasetHeader

_ENERGY = "energy_kev"
_CENTRE = ("centre_offset_y_px", "centre_offset_x_px")
_CENTRE_AXES = ("q_y", "q_x")
_CAMERA_LENGTH = "camera_length_error"


class Conditions(Recorded):
    """What is known of how patterns were recorded; `None` for what nobody stated.

    Attributes:
        axes: Axes of the raw patterns.
    """

    axes: tuple[Axis, ...] | None = None

    def varies_px(self, axis: str) -> float:
        """How far the origin of an axis lies at most from where it says [pixels]."""
        return dict(zip(_CENTRE_AXES, self.centre_px, strict=True)).get(axis, 0.0)

    def stretches(self, axis: str) -> float:
        """How far, at most, the size of a pixel along an axis is from what it says, over it."""
        return self.camera_length if axis in _CENTRE_AXES else 0.0

    @classmethod
    def of_header(cls, header: DatasetHeader) -> Self:
        """What a header states, where the samples themselves are not at hand."""
        return cls(axes=header.axes, **_stated(header))

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> Self:
        """What a dataset states: by its header, and by its columns.

        Of the energy, the header is believed before the column: it is what the instrument used. Of
        places and sizes, columns are nearer to what the samples are.

        Raises:
            StorageError: The data cannot be read.
        """
        known = _stated(dataset.header)
        ranges = {
            name: _in_column(dataset, name)
            for name in (_ENERGY, *_CENTRE, _CAMERA_LENGTH)
            if name in dataset.header.columns
        }
        if known.get("energy_kev") is None and _ENERGY in ranges:
            known["energy_kev"] = ranges[_ENERGY]
        known["centre_px"] = tuple(
            _reach(ranges[name]) if name in ranges else stated
            for name, stated in zip(_CENTRE, known.get("centre_px", (0.0, 0.0)), strict=True)
        )
        if _CAMERA_LENGTH in ranges:
            known["camera_length"] = _reach(ranges[_CAMERA_LENGTH])
        return cls(axes=dataset.header.axes, **known)


def _stated(header: DatasetHeader) -> dict[str, Any]:
    return {} if header.recorded is None else header.recorded.model_dump()


def _in_column(dataset: Dataset, name: str) -> Range | None:
    values = np.asarray(dataset.column(name), dtype=np.float64)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else None


def _reach(ends: Range | None) -> float:
    return 0.0 if ends is None else max(map(abs, ends))
