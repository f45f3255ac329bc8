"""What varies in the crystals of a powder, from one sample to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from pydantic import model_validator

from crystalvision.config import Config
from crystalvision.contracts import Axis, Crystal, Measure
from crystalvision_simulate.powder._reflections import Reflections, march_dollase
from crystalvision_simulate.powder._rings import share
from crystalvision_simulate.recipes import Quantity, above, at_least, at_most, between

_TEXTURE_AXES = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))
_SAME_LENGTH = 1e-7  # reflections of one family, relative


class CrystalSettings(Config):
    """What varies from one powder of a phase to the next.

    Attributes:
        thermal_rms_angstrom: Thermal motion of every atom along one axis [Å].
        cell_error: Relative error of the lattice parameters, of all alike.
        cell_spread: Standard deviation of a further relative error of each of the three axes.
        march_dollase: Parameter r of texture about one of the axes of low indices; 1 for none.
        intensity_spread: By how much reflections of one length are off, as the standard deviation
            of a logarithm: few grains, and whatever the structure does not say.
        foreign_share: What another phase of the library scatters, relative to this one; 0 for none.
    """

    thermal_rms_angstrom: Quantity = Quantity(0.08)
    cell_error: Quantity = Quantity(0.0)
    cell_spread: Quantity = Quantity(0.0)
    march_dollase: Quantity = Quantity(1.0)
    intensity_spread: Quantity = Quantity(0.0)
    foreign_share: Quantity = Quantity(0.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        between(self.thermal_rms_angstrom, 1.0, "thermal_rms_angstrom")
        between(self.cell_error, 0.05, "cell_error")
        between(self.cell_spread, 0.05, "cell_spread")
        above(self.march_dollase, 0, "march_dollase")
        at_most(self.march_dollase, 20, "march_dollase")
        at_least(self.intensity_spread, 0, "intensity_spread")
        at_most(self.intensity_spread, 3, "intensity_spread")
        at_least(self.foreign_share, 0, "foreign_share")
        at_most(self.foreign_share, 1, "foreign_share")
        return self


CRYSTAL_COLUMNS: Mapping[str, Measure] = {
    "thermal_rms_angstrom": Measure(
        "thermal_rms_angstrom", "angstrom", "thermal motion along one axis, root mean square"
    ),
    "cell_error": Measure("cell_error", "1", "relative error of the lattice parameters"),
    "march_dollase": Measure("march_dollase", "1", "parameter of texture, 1 for none"),
}


@dataclass(frozen=True, slots=True)
class DrawnCrystal:
    """What one sample draws for its crystals; see `CrystalSettings`."""

    thermal_rms_angstrom: float
    cell_error: float
    cell_spread: float
    march_dollase: float
    intensity_spread: float


def rings_of_sample(
    crystal: Crystal,
    found: Reflections,
    drawn: DrawnCrystal,
    axis: Axis,
    rng: np.random.Generator,
) -> Float[np.ndarray, "n"]:
    """What a phase scatters into each |g|, with a sample's cell, motion and texture, (n,).

    Args:
        crystal: Its unit cell.
        found: The reflections of the cell as it should be.
        drawn: What varies.
        axis: Of |g|.
        rng: Draws the axis of texture, and what each lattice parameter and intensity is off by.
    """
    length = found.length_inv_angstrom
    rms = drawn.thermal_rms_angstrom
    intensity = found.intensity * np.exp(-((2 * np.pi * rms * length) ** 2))
    texture_axis = _TEXTURE_AXES[int(rng.integers(len(_TEXTURE_AXES)))]
    if drawn.march_dollase != 1.0:
        intensity = intensity * march_dollase(crystal, found, texture_axis, drawn.march_dollase)
    stretch = 1 + drawn.cell_error + drawn.cell_spread * rng.standard_normal(3)
    if drawn.intensity_spread and len(length):
        family = np.cumsum(np.diff(length, prepend=length[0]) > _SAME_LENGTH * length)
        off = rng.standard_normal(int(family[-1]) + 1) * drawn.intensity_spread
        intensity = intensity * np.exp(off)[family]
    if drawn.cell_spread:
        length = np.linalg.norm((found.hkl / stretch) @ np.linalg.inv(crystal.cell).T, axis=1)
    else:
        length = length / stretch[0]
    return share(length, intensity, axis)
