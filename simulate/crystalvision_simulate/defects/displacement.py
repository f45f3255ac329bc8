"""Atoms off their sites, for good."""

from typing import Literal

import numpy as np

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal
from crystalvision_simulate.defects._checks import (
    check_distances,
    check_fraction,
    check_not_negative,
    nearest_neighbour_angstrom,
)


class RandomDisplacement(Defect):
    """Every atom displaced at random, independently, and left there.

    `displacement_rms_angstrom` is the root mean square of what was drawn, along one axis [Å].
    """

    measures = ("displacement_rms_angstrom",)

    def __init__(
        self,
        sigma_angstrom: float,
        distribution: Literal["gaussian", "uniform"] = "gaussian",
        relative: bool = False,
        smallest_distance_fraction: float = 0.5,
    ) -> None:
        """Make the defect.

        Args:
            sigma_angstrom: Standard deviation along each axis [Å], or, if `relative`, as a fraction
                of the shortest distance between atoms.
            distribution: Gaussian, or uniform with the same standard deviation.
            relative: Whether `sigma_angstrom` is relative.
            smallest_distance_fraction: Refuse a crystal in which atoms come nearer than this
                fraction of the shortest ideal distance.

        Raises:
            InputError: A number is negative, or no fraction.
        """
        self.sigma_angstrom = check_not_negative("sigma_angstrom", sigma_angstrom)
        self.distribution = distribution
        self.relative = relative
        self.smallest_distance_fraction = check_fraction(
            "smallest_distance_fraction", smallest_distance_fraction
        )

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Displace the atoms.

        Raises:
            InputError: Two atoms come too near to each other.
        """
        sigma = self.sigma_angstrom
        if self.relative:
            sigma *= nearest_neighbour_angstrom(crystal)
        if self.distribution == "gaussian":
            shifts = rng.normal(0, sigma, crystal.positions.shape)
        else:
            half_width = sigma * np.sqrt(3)
            shifts = rng.uniform(-half_width, half_width, crystal.positions.shape)
        name = f"displacement: sigma_angstrom {self.sigma_angstrom:g}"
        check_distances(name, crystal, shifts, self.smallest_distance_fraction)
        return DefectiveCrystal(
            crystal.with_atoms(crystal.positions + shifts, crystal.numbers),
            {"displacement_rms_angstrom": float(np.sqrt(np.mean(shifts**2)))},
        )
