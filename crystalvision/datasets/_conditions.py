"""What is known of the instrument that patterns were recorded with: their axes, and the beam."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np

from crystalvision.config import Config
from crystalvision.contracts import Axis, Frame, MeasuredAxis
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._provenance import Provenance, settings_of
from crystalvision.errors import InputError
from crystalvision.x_rays import K_ALPHA_ANGSTROM, same_wavelength

Range = tuple[float, float]

_ENERGY = "energy_kev"
_CENTRE = ("centre_offset_y_px", "centre_offset_x_px")
_CENTRE_AXES = ("q_y", "q_x")
_CAMERA_LENGTH = "camera_length_error"
_WAVELENGTH = "wavelength_angstrom"
_ANODE = "anode"
_TOLD = (_ENERGY, *_CENTRE, _CAMERA_LENGTH)
"""What a column tells of each sample, or some part of a recipe under the same name."""
_SIGMAS = 2.0  # of a normal distribution, within which nearly all is drawn


class Conditions(Config):
    """What is known of how patterns were recorded; `None` for what nobody stated.

    Attributes:
        axes: Axes of the raw patterns; only files have uneven ones.
        energy_kev: Least and greatest energy of the beam [keV].
        radiation: Such as `x-rays`, where it is stated.
        wavelength_angstrom: Wavelength, of Kα₁ where there are two: that of the axis 2θ [Å].
        centre_px: How far the direct beam lies at most from where the axes say, along `q_y` and
            `q_x` [pixels]; a system that was trained on that is used to it.
        camera_length: How far, at most, the size of a pixel is from what the axes say, over it.
    """

    axes: tuple[MeasuredAxis, ...] | None = None
    energy_kev: Range | None = None
    radiation: str | None = None
    wavelength_angstrom: float | None = None
    centre_px: tuple[float, float] = (0.0, 0.0)
    camera_length: float = 0.0

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
            # Recipes of electrons, which are the rule, state none.
            radiation=None if facts.radiation == "electrons" else facts.radiation,
            wavelength_angstrom=facts.wavelength_angstrom,
        )

    @classmethod
    def of_header(cls, header: DatasetHeader) -> Self:
        """What a header tells, where the samples themselves are not at hand.

        Args:
            header: What a dataset says of itself; of merged data, all of the parts count.
        """
        made = header.provenance
        return cls._of(header.axes, made, {name: _in_recipe(made, name) for name in _TOLD})

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> Self:
        """What a dataset tells: its columns where it has them, else its recipe.

        Raises:
            StorageError: The data cannot be read.
        """
        header = dataset.header
        ranges = {
            name: _in_column(dataset, name)
            if name in header.columns
            else _in_recipe(header.provenance, name)
            for name in _TOLD
        }
        return cls._of(header.axes, header.provenance, ranges)

    @classmethod
    def _of(
        cls, axes: tuple[Axis, ...], made: Provenance, ranges: Mapping[str, Range | None]
    ) -> Self:
        rows, columns = (_reach(ranges[name]) for name in _CENTRE)
        return cls(
            axes=axes,
            energy_kev=ranges[_ENERGY],
            radiation=_radiation(made),
            wavelength_angstrom=_wavelength(made),
            centre_px=(rows, columns),
            camera_length=_reach(ranges[_CAMERA_LENGTH]),
        )


def _in_column(dataset: Dataset, name: str) -> Range | None:
    values = np.asarray(dataset.column(name), dtype=np.float64)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else None


def _in_recipe(made: Provenance, name: str) -> Range | None:
    """The range of a number in a recipe, or in all recipes of merged data that state it."""
    found = list(_stated(made, name))
    ranges = [each for each in map(_range_of, found) if each is not None]
    if not ranges:
        return None
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _stated(made: Provenance, key: str) -> Iterator[Any]:
    for each in settings_of(made):
        for settings in each.values():
            if isinstance(settings, Mapping) and key in settings:
                yield settings[key]


def _range_of(value: Any) -> Range | None:
    """The ends of a number, or of a distribution as recipes write it: `{uniform: [low, high]}`."""
    if isinstance(value, Mapping) and len(value) == 1:
        name, numbers = next(iter(value.items()))
        if not isinstance(numbers, list) or not all(map(_is_number, numbers)) or not numbers:
            return None
        if name == "normal" and len(numbers) == 2:
            mean, sigma = numbers
            return mean - _SIGMAS * sigma, mean + _SIGMAS * sigma
        return float(min(numbers)), float(max(numbers))
    return (float(value), float(value)) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reach(ends: Range | None) -> float:
    return 0.0 if ends is None else max(map(abs, ends))


def _radiation(made: Provenance) -> str | None:
    found = {str(each) for each in _stated(made, "radiation")}
    return " and ".join(sorted(found)) or None


def _wavelength(made: Provenance) -> float | None:
    """The one wavelength that a recipe states, or that its anode has [Å]."""
    found = {float(each) for each in _stated(made, _WAVELENGTH) if _is_number(each)}
    if not found:
        anodes = (each for each in _stated(made, _ANODE) if isinstance(each, str))
        found = {K_ALPHA_ANGSTROM[each][0] for each in anodes if each in K_ALPHA_ANGSTROM}
    if not found or not all(same_wavelength(each, min(found)) for each in found):
        return None
    return min(found)
