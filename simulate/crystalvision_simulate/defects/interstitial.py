"""Atoms between the sites of the lattice."""

import numpy as np

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import (
    atomic_number,
    check_fraction,
    parent_of,
    rounded_by_chance,
)
from crystalvision_simulate.defects._degree import of_those_there
from crystalvision_simulate.defects._holes import equivalent_sites, largest_holes
from crystalvision_simulate.defects._neighbours import choose_apart
from crystalvision_simulate.defects._parents import (
    ideal_cell,
    nearest_neighbour_angstrom,
    sites_of,
)


class Interstitial(Defect):
    """Atoms added at random to sites that the lattice leaves empty.

    Where a twin, strain or dislocations have turned or moved the lattice, its empty sites went with
    it. The atoms about an interstitial are not relaxed.

    `interstitial_fraction` is what was added, over the atoms that were there.
    """

    measures = (
        Measure(
            "interstitial_fraction",
            "1",
            "measured: atoms added, over those that were there",
            of_those_there,
        ),
    )

    def __init__(
        self,
        fraction: float,
        element: str,
        site: tuple[float, float, float] | None = None,
        smallest_distance_fraction: float = 0.5,
    ) -> None:
        """Make the defect.

        Args:
            fraction: Atoms to add, as a part of those that are there, 0 to 1.
            element: Symbol of their element.
            site: Fractional coordinates of the site in the unit cell; it stands for all that the
                symmetry of the crystal makes of it. By default the largest holes of the lattice:
                those of a face-centred cubic metal are the octahedral ones, (½, ½, ½).
            smallest_distance_fraction: No atom is added nearer to another than this fraction of the
                shortest distance between atoms of the ideal crystal.

        Raises:
            InputError: A fraction is outside [0, 1], or there is no such element.
        """
        self.fraction = check_fraction("fraction", fraction)
        self.element = element
        self._number = atomic_number("element", element)
        self.site = site
        self.smallest_distance_fraction = check_fraction(
            "smallest_distance_fraction", smallest_distance_fraction
        )

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Add the atoms.

        Raises:
            InputError: The crystal does not know what it was cut from, or it has fewer free sites
                than there are atoms to add.
        """
        count = rounded_by_chance(self.fraction * len(crystal), rng)
        if count == 0:
            return DefectiveCrystal(crystal, {"interstitial_fraction": 0.0})
        parent = parent_of(crystal, "interstitial")
        unit_cell = ideal_cell(parent)
        holes = (
            largest_holes(unit_cell)
            if self.site is None
            else equivalent_sites(unit_cell, self.site)
        )
        sites, _ = sites_of(parent, holes, np.zeros(3), np.diag(crystal.cell))
        allowed = self.smallest_distance_fraction * nearest_neighbour_angstrom(crystal)
        chosen = choose_apart(crystal, sites[rng.permutation(len(sites))], count, allowed)
        if len(chosen) < count:
            raise InputError(
                f"interstitial: {count} atoms to add, but only {len(chosen)} of {len(sites)} sites "
                f"lie {allowed:.2f} Å or more from every atom and each other; lower fraction or "
                "smallest_distance_fraction, or choose another site"
            )
        numbers = np.full(count, self._number, dtype=crystal.numbers.dtype)
        return DefectiveCrystal(
            crystal.with_atoms(
                np.concatenate([crystal.positions, chosen]),
                np.concatenate([crystal.numbers, numbers]),
            ),
            {"interstitial_fraction": count / len(crystal)},
        )
