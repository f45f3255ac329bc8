"""What varies in the crystals of a powder, from one sample to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from pydantic import model_validator

from crystalvision.config import Config
from crystalvision.contracts import Axis, Crystal, Measure
from crystalvision_simulate.powder._reflections import Reflections, texture_factor
from crystalvision_simulate.powder._rings import share
from crystalvision_simulate.recipes import Quantity, above, at_least, at_most, between

_TEXTURE_AXES = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))
_SAME_LENGTH = 1e-7  # reflections of one family, relative
_ABSENT = 1e-15  # of the strongest: what symmetry forbids is 10⁻³⁰ of it


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


IDEAL_CRYSTAL = DrawnCrystal(
    thermal_rms_angstrom=0.0,
    cell_error=0.0,
    cell_spread=0.0,
    march_dollase=1.0,
    intensity_spread=0.0,
)
"""Nothing moves, is strained, or prefers a direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Families:
    """Reflections of a phase, as every sample of it needs them.

    Attributes:
        reciprocal: Vectors of the reciprocal lattice as rows [1/Å], (3, 3).
        hkl: Indices of those that scatter anything, (3, m).
        length_inv_angstrom: |g| [1/Å], (m,).
        squared: Its square, (m,).
        intensity: As of `Reflections`, (m,).
        family: Which of the families of one length each is of, (m,).
        count: Families, with those that scatter nothing.
    """

    reciprocal: Float[np.ndarray, "3 3"]
    hkl: Float[np.ndarray, "3 m"]
    length_inv_angstrom: Float[np.ndarray, "m"]
    squared: Float[np.ndarray, "m"]
    intensity: Float[np.ndarray, "m"]
    family: Int[np.ndarray, "m"]
    count: int

    @classmethod
    def of(cls, crystal: Crystal, found: Reflections) -> Self:
        """Leave out what is absent by symmetry, and number the families."""
        length, reciprocal = found.length_inv_angstrom, np.linalg.inv(crystal.cell).T
        if not len(length):
            family = np.empty(0, dtype=np.int64)
            return cls(reciprocal, np.empty((3, 0)), length, length, found.intensity, family, 0)
        family = np.cumsum(np.diff(length, prepend=length[0]) > _SAME_LENGTH * length)
        some = found.intensity > _ABSENT * found.intensity.max()
        return cls(
            reciprocal,
            np.ascontiguousarray(found.hkl[some].T, dtype=np.float64),
            length[some],
            np.square(length[some]),
            found.intensity[some],
            family[some],
            int(family[-1]) + 1,
        )


def rings_of_sample(
    found: Families,
    drawn: DrawnCrystal,
    axis: Axis,
    rng: np.random.Generator,
) -> Float[np.ndarray, "n"]:
    """What a phase scatters into each |g|, with a sample's cell, motion and texture, (n,).

    Args:
        found: The reflections of the cell as it should be.
        drawn: What varies.
        axis: Of |g|.
        rng: Draws the axis of texture, and what each lattice parameter and intensity is off by.
    """
    texture_axis = _TEXTURE_AXES[int(rng.integers(len(_TEXTURE_AXES)))]
    stretch = 1 + drawn.cell_error + drawn.cell_spread * rng.standard_normal(3)
    # Lengths ascend, and the most stretched axis brings none of the others onto those of the rings.
    reach = axis.scale * axis.size * float(stretch.max())
    count = int(np.searchsorted(found.length_inv_angstrom, reach))
    hkl, squared = found.hkl[:, :count], found.squared[:count]
    exponent = squared * -((2 * np.pi * drawn.thermal_rms_angstrom) ** 2)
    if drawn.intensity_spread and found.count:
        off = rng.standard_normal(found.count) * drawn.intensity_spread
        exponent += off[found.family[:count]]
    intensity = np.exp(exponent, out=exponent)
    intensity *= found.intensity[:count]
    if drawn.march_dollase != 1.0:
        preferred = np.asarray(texture_axis) @ found.reciprocal
        along = (found.reciprocal @ preferred / np.linalg.norm(preferred)) @ hkl
        intensity *= texture_factor(along * along / squared, drawn.march_dollase)
    if drawn.cell_spread:
        g = (found.reciprocal / stretch[:, None]).T @ hkl
        length = np.sqrt(np.einsum("im,im->m", g, g))
    else:
        length = found.length_inv_angstrom[:count] / stretch[0]
    return share(length, intensity, axis)
