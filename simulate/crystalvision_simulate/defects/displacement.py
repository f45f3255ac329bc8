"""Atoms off their sites, for good."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import check_fraction, check_not_negative
from crystalvision_simulate.defects._degree import in_quadrature
from crystalvision_simulate.defects._neighbours import closest_pair_angstrom, repeat_lengths
from crystalvision_simulate.defects._parents import nearest_neighbour_angstrom

_DRAWS = 10


class RandomDisplacement(Defect):
    """Every atom displaced at random, independently, and left there.

    `displacement_rms_angstrom` is the root mean square of what was drawn, along one axis [Å].
    """

    measures = (
        Measure(
            "displacement_rms_angstrom",
            "angstrom",
            "measured: displacement along one axis, root mean square",
            in_quadrature,
        ),
    )

    def __init__(
        self,
        sigma_angstrom: float | None = None,
        sigma_relative: float | None = None,
        distribution: Literal["gaussian", "uniform"] = "gaussian",
        smallest_distance_fraction: float = 0.5,
    ) -> None:
        """Make the defect.

        Args:
            sigma_angstrom: Standard deviation along each axis [Å].
            sigma_relative: The same as a fraction of the shortest distance between atoms of the
                ideal crystal; give one of the two.
            distribution: Gaussian, or uniform with the same standard deviation.
            smallest_distance_fraction: No atoms come nearer than this fraction of that distance. A
                draw in which some would is drawn anew.

        Raises:
            InputError: Neither or both of the standard deviations, a negative one, or no fraction.
        """
        if (sigma_angstrom is None) == (sigma_relative is None):
            raise InputError(
                f"sigma_angstrom is {sigma_angstrom} and sigma_relative is {sigma_relative}; "
                "expected one of them"
            )
        self.sigma_angstrom = sigma_angstrom
        self.sigma_relative = sigma_relative
        for name in ("sigma_angstrom", "sigma_relative"):
            check_not_negative(name, getattr(self, name) or 0.0)
        self.distribution = distribution
        self.smallest_distance_fraction = check_fraction(
            "smallest_distance_fraction", smallest_distance_fraction
        )

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Displace the atoms.

        Raises:
            InputError: Two atoms come too near to each other in every one of several draws.
        """
        shortest = nearest_neighbour_angstrom(crystal)
        sigma = self.sigma_angstrom
        if sigma is None:
            sigma = (self.sigma_relative or 0.0) * shortest
        allowed = self.smallest_distance_fraction * shortest
        for _ in range(_DRAWS):
            shifts = self._draw(sigma, crystal.positions.shape, rng)
            moved = crystal.positions + shifts
            found = closest_pair_angstrom(moved, repeat_lengths(crystal), allowed)
            if found >= allowed:
                return DefectiveCrystal(
                    crystal.with_atoms(moved, crystal.numbers),
                    {"displacement_rms_angstrom": float(np.sqrt(np.mean(shifts**2)))},
                )
        raise InputError(
            f"displacement: a sigma of {sigma:.3g} Å brings two atoms within {found:.2f} Å of each "
            f"other, less than {self.smallest_distance_fraction:g} of the shortest distance "
            f"{shortest:.2f} Å, in each of {_DRAWS} draws; make it smaller, or lower "
            "smallest_distance_fraction if you mean it"
        )

    def _draw(
        self, sigma: float, shape: tuple[int, ...], rng: np.random.Generator
    ) -> Float[np.ndarray, "n 3"]:
        if self.distribution == "gaussian":
            return rng.normal(0, sigma, shape)
        half_width = sigma * np.sqrt(3)
        return rng.uniform(-half_width, half_width, shape)
