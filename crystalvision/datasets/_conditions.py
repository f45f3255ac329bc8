"""What is known of the instrument that patterns were recorded with: their axes, and the beam."""

from typing import Any, Self

import numpy as np

from crystalvision.contracts import Frame, MeasuredAxis, Range, Recorded
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._header import DatasetHeader
from crystalvision.errors import InputError
from crystalvision.x_rays import same_wavelength

_ENERGY = "energy_kev"
_CENTRE = ("centre_offset_y_px", "centre_offset_x_px")
_CENTRE_AXES = ("q_y", "q_x")
_CAMERA_LENGTH = "camera_length_error"


class Conditions(Recorded):
    """What is known of how patterns were recorded; `None` for what nobody stated.

    Attributes:
        axes: Axes of the raw patterns; only files have uneven ones.
    """

    axes: tuple[MeasuredAxis, ...] | None = None

    def varies_px(self, axis: str) -> float:
        """How far the origin of an axis lies at most from where it says [pixels]."""
        return dict(zip(_CENTRE_AXES, self.centre_px, strict=True)).get(axis, 0.0)

    def stretches(self, axis: str) -> float:
        """How far, at most, the size of a pixel along an axis is from what it says, over it."""
        return self.camera_length if axis in _CENTRE_AXES else 0.0

    def with_wavelength(self, wavelength_angstrom: float | None, name: str) -> Self:
        """The same with a wavelength that a user states of it [Å]; as it is with `None`.

        Args:
            wavelength_angstrom: The wavelength.
            name: What to call the patterns in an error.

        Raises:
            InputError: They state another, or have none.
        """
        given, known = wavelength_angstrom, self.wavelength_angstrom
        if given is None:
            return self
        if known is not None and not same_wavelength(given, known):
            raise InputError(
                f"{name} states {known:.5g} Å itself, not {given:.5g} Å; leave "
                "--wavelength-angstrom and --anode out, or mend the file"
            )
        if self.axes is not None and len(self.axes) > 1:
            raise InputError(
                f"{name} has patterns of {len(self.axes)} dimensions, to which a wavelength is "
                "nothing; leave --wavelength-angstrom and --anode out"
            )
        return self.model_copy(update={"wavelength_angstrom": known or given})

    @classmethod
    def of_frame(cls, frame: Frame) -> Self:
        """What a file tells of one of its patterns."""
        facts = frame.facts
        energy = facts.energy_kev
        return cls(
            axes=frame.axes,
            energy_kev=None if energy is None else (energy, energy),
            radiation=facts.radiation,
            wavelength_angstrom=facts.wavelength_angstrom,
        )

    @classmethod
    def of_header(cls, header: DatasetHeader) -> Self:
        """What a header states, where the samples themselves are not at hand."""
        return cls(axes=header.axes, **_stated(header))

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> Self:
        """What a dataset states: by its header, and by its columns.

        Of the beam, the header is believed before the column: it is what the instrument used. Of
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
        beam = (known.get("energy_kev"), known.get("wavelength_angstrom"))
        if _ENERGY in ranges and beam == (None, None):
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
